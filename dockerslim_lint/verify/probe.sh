# Runs one command inside the image that is on trial and writes down how it ended. Run by busybox sh, as the image's
# user, in its working directory; the folder `out` is ours and writable for everybody.
#
# job.sh (written by probe.py) sets: limit (1/100 s), flood (512-byte blocks), keep (bytes), burn (process ids to use up), path (the image's PATH),
# the positional parameters (the command), and defines launch(), which becomes "$@" with the image's environment.
#
# out/result gets lines "key=value":  end = ended | late | refused    code = as wait(1) has it    left = processes that
# outlived the program    stdout, stderr = bytes printed    error = why it was refused. out/status is busybox time's
# report: it alone tells an exit with 134 from a SIGABRT.
#
# Where it also sets check (a program) and check_limit (1/100 s), and defines inspect(), which becomes that program with its
# arguments, that is run beside the command until it succeeds once.    health = ok | late | the exit code of the last
# attempt | why there was none    out/check is what it printed.
#
# Output goes to files: whoever waits for a pipe waits for every orphan that holds it.

home=/.dockerslim
bb=$home/busybox
out=$home/out
umask 022
check=
. $home/job.sh

now() {
    read -r up rest </proc/uptime
    up=${up%.*}${up#*.}
}

finish() {
    printf '%s\n' "$@" >$out/result
    exit 0 # a failed command is an answer; a failed step would be none
}

# Everything but this shell, which is process 1 where the engine gives the step a PID namespace of its own. Zombies are
# not counted: an orphan that has ended has left nothing behind.
survivors() {
    left=0
    for entry in /proc/[0-9]*; do
        [ "$entry" = "/proc/$$" ] && continue
        state=
        while read -r key value rest; do
            [ "$key" = State: ] && { state=$value; break; }
        done 2>/dev/null <"$entry/status"
        case $state in '' | Z | X) ;; *) left=$((left + 1)) ;; esac
    done
}

sweep() {
    kill -KILL "-$pid" 2>/dev/null
    # without a PID namespace -1 would be every process that this user has on the machine
    [ $$ = 1 ] && kill -KILL -1 2>/dev/null
    $bb usleep 50000
}

# As container runtimes look a program up: a regular file that this user may execute.
look_up() {
    found=
    case $1 in
    */*) [ -e "$1" ] && found=$1 ;;
    *)
        rest=$path:
        while [ -n "$rest" ]; do
            folder=${rest%%:*}
            rest=${rest#*:}
            if [ -f "${folder:-.}/$1" ] && [ -x "${folder:-.}/$1" ]; then
                found=${folder:-.}/$1
                break
            fi
        done
        ;;
    esac
}

# One look at the check: it is started, or still under way, or has ended.
attend() {
    if [ -z "$check_pid" ]; then
        [ "$up" -ge "$check_next" ] || return
        $bb rm -f $out/checked
        (
            ulimit -f "$flood"
            inspect
        ) </dev/null >$out/check 2>&1 &
        check_pid=$!
        check_end=$((up + check_limit))
    elif [ -s $out/checked ] || [ ! -d "/proc/$check_pid" ]; then
        wait "$check_pid"
        health=$?
        [ "$health" = 0 ] && health=ok
        check_pid=
        check_next=$((up + 50))
    elif [ "$up" -ge "$check_end" ]; then
        end_check
        health=late
        check_next=$((up + 50))
    fi
}

end_check() {
    [ -n "$check_pid" ] || return
    kill -KILL "-$check_pid" 2>/dev/null
    wait "$check_pid"
    check_pid=
}

health=
check_pid=
check_next=0
if [ -n "$check" ]; then
    look_up "$check"
    if [ -z "$found" ]; then
        health="no such file: $check"
        check=
    else
        check=$found # in full: busybox would run its own applet of that name
    fi
fi

look_up "$1"
[ -n "$found" ] || finish end=refused code=127 "error=no such file: $1"
[ -f "$found" ] || finish end=refused code=126 "error=not a file: $found"
[ -x "$found" ] || finish end=refused code=126 "error=permission denied: $found"
if [ -r "$found" ]; then
    # execvp() of some libcs hands what the kernel refuses to /bin/sh; a container runtime does not
    magic=$($bb head -c 4 "$found" | $bb tr -d '\000')
    case $magic in
    '#!'* | ?ELF) ;;
    *) finish end=refused code=126 "error=exec format error: $found" ;;
    esac
fi
# The bare name stays argv[0], unless busybox would run its own applet of that name.
case $1 in
*/*) ;;
*)
    if $bb --list | $bb grep -qxF -e "$1"; then
        shift
        set -- "$found" "$@"
    fi
    ;;
esac

while [ "$burn" -gt 0 ]; do
    ( : )
    burn=$((burn - 1))
done
ulimit -c 0
(
    ulimit -f "$flood"
    launch "$@"
) </dev/null >$out/stdout 2>$out/stderr &
pid=$!

now
deadline=$((up + limit))
end=ended
while [ -d "/proc/$pid" ] && [ ! -s $out/status ]; do
    now
    [ -n "$check" ] && attend
    [ "$health" = ok ] && { end=late; break; }
    [ "$up" -ge "$deadline" ] && { end=late; break; }
    $bb usleep 100000
done
end_check
if [ $end = ended ]; then
    wait "$pid"
    code=$?
    left=0
    $bb usleep 100000 # what ends together with the program has not been left behind
    [ $$ = 1 ] && survivors
    sweep
else
    sweep
    wait "$pid"
    code=$?
    left=0
fi

measure() {
    size=$($bb wc -c <"$out/$1")
    if [ "$size" -gt "$keep" ]; then
        $bb head -c "$keep" "$out/$1" >"$out/$1.cut"
        $bb mv "$out/$1.cut" "$out/$1"
    fi
}
measure stdout
printed=$size
measure stderr
finish end=$end "code=$code" "left=$left" "stdout=$printed" "stderr=$size" "health=$health"
