"""What two runs of one program may print differently without behaving differently: the words of the C library, times, addresses."""

from __future__ import annotations

import re

_MESSAGES = (
    # errno, glibc (sysdeps/gnu/errlist.h), musl (src/errno/__strerror.h); the errnos whose words are the same are not here
    ("EILSEQ", "Invalid or incomplete multibyte or wide character", "Illegal byte sequence"),
    ("EDOM", "Numerical argument out of domain", "Domain error"),
    ("ERANGE", "Numerical result out of range", "Result not representable"),
    ("ENOTTY", "Inappropriate ioctl for device", "Not a tty"),
    ("EOVERFLOW", "Value too large for defined data type", "Value too large for data type"),
    ("ENOMEM", "Cannot allocate memory", "Out of memory"),
    ("EBUSY", "Device or resource busy", "Resource busy"),
    ("ESPIPE", "Illegal seek", "Invalid seek"),
    ("EXDEV", "Invalid cross-device link", "Cross-device link"),
    ("ETIMEDOUT", "Connection timed out", "Operation timed out"),
    ("EHOSTUNREACH", "No route to host", "Host is unreachable"),
    ("EADDRINUSE", "Address already in use", "Address in use"),
    ("EIO", "Input/output error", "I/O error"),
    ("ELOOP", "Too many levels of symbolic links", "Symbolic link loop"),
    ("ENAMETOOLONG", "File name too long", "Filename too long"),
    ("EMFILE", "Too many open files", "No file descriptors available"),
    ("ECHILD", "No child processes", "No child process"),
    ("EDEADLK", "Resource deadlock avoided", "Resource deadlock would occur"),
    ("EOWNERDEAD", "Owner died", "Previous owner died"),
    ("ETIME", "Timer expired", "Device timeout"),
    ("ENOTSOCK", "Socket operation on non-socket", "Not a socket"),
    ("EMSGSIZE", "Message too long", "Message too large"),
    ("ENOTSUP", "Operation not supported", "Not supported"),
    ("EADDRNOTAVAIL", "Cannot assign requested address", "Address not available"),
    ("ENETUNREACH", "Network is unreachable", "Network unreachable"),
    ("ENETRESET", "Network dropped connection on reset", "Connection reset by network"),
    ("ECONNABORTED", "Software caused connection abort", "Connection aborted"),
    ("EISCONN", "Transport endpoint is already connected", "Socket is connected"),
    ("ENOTCONN", "Transport endpoint is not connected", "Socket not connected"),
    ("ESHUTDOWN", "Cannot send after transport endpoint shutdown", "Cannot send after socket shutdown"),
    ("EINPROGRESS", "Operation now in progress", "Operation in progress"),
    ("EUCLEAN", "Structure needs cleaning", "Data consistency error"),
    ("ENAVAIL", "No XENIX semaphores available", "Resource not available"),
    ("EDQUOT", "Disk quota exceeded", "Quota exceeded"),
    ("ESTALE", "Stale NFS file handle", "Stale file handle"),
    # getaddrinfo (glibc sysdeps/posix/gai_strerror-strs.h, musl src/network/gai_strerror.c)
    ("EAI_NONAME", "Name or service not known", "Name does not resolve"),
    ("EAI_AGAIN", "Temporary failure in name resolution", "Try again"),
    ("EAI_FAIL", "Non-recoverable failure in name resolution", "Non-recoverable error"),
    ("EAI_NODATA", "No address associated with hostname", "Name has no usable address"),
    ("EAI_FAMILY", "ai_family not supported", "Unrecognized address family or invalid length"),
    ("EAI_SOCKTYPE", "ai_socktype not supported", "Unrecognized socket type"),
    ("EAI_SERVICE", "Servname not supported for ai_socktype", "Unrecognized service"),
    ("ENOMEM", "Memory allocation failure", "Out of memory"),
)
_CODES = {words: f"‹{code}›" for code, *both in _MESSAGES for words in both}
_ERRORS = re.compile(r"\b(?:" + "|".join(re.escape(words) for words in sorted(_CODES, key=len, reverse=True)) + r")\b")

_QEMU = re.compile(r"qemu: uncaught target signal \d+ .*")
_VOLATILE = (
    (re.compile(r"(thread '[^'\n]*') \(\d+\)"), r"\1 (‹id›)"),  # Rust 1.91 on: panics name the thread's id
    (re.compile(r"ThreadId\(\d+\)"), "ThreadId(‹id›)"),
    (
        re.compile(
            r"\d{4}-\d\d-\d\d[T _]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?"
            r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +(?:\d+ +)?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d+ +[\d: ]*\d\d:\d\d(?: (?:GMT|UTC|[+-]\d{4}))?(?: \d{4})?"
            r"|(?<![\d:])\d\d:\d\d:\d\d(?:[.,]\d+)?(?![\d:])"
        ),
        "‹time›",
    ),
    (re.compile(r"(?<![\w.])(?:\d+\.\d+ ?(?:s|secs?|seconds)|\d+(?:\.\d+)? ?(?:ns|µs|μs|us|ms))\b"), "‹duration›"),
    (re.compile(r"\b0x[0-9a-fA-F]{6,16}\b"), "‹address›"),
    (re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"), "‹uuid›"),
)


def normalised_lines(output: bytes) -> list[str]:
    """The lines of an output with libc's words as error codes and what changes from run to run as a mark.

    Lines that an emulator adds and empty lines at the end are left out.
    """
    lines = [line.rstrip("\r") for line in output.decode("utf-8", "backslashreplace").split("\n")]
    kept = [normalised(line) for line in lines if _QEMU.fullmatch(line) is None]
    while kept and not kept[-1]:
        kept.pop()
    return kept


def normalised(line: str) -> str:
    """One line, as in `normalised_lines`."""
    line = _ERRORS.sub(lambda match: _CODES[match[0]], line)
    for pattern, mark in _VOLATILE:
        line = pattern.sub(mark, line)
    return line
