use std::io::Write;
use std::process::{exit, Command, Stdio};
use std::{env, thread, time::Duration};

fn main() {
    let words: Vec<String> = env::args().collect();
    match words.get(1).map(String::as_str) {
        Some("exit") => exit(words[2].parse().unwrap()),
        Some("panic") => panic!("over the edge"),
        Some("abort") => std::process::abort(),
        Some("hang") => loop {
            thread::sleep(Duration::from_secs(60));
        },
        Some("serve") => {
            println!("serving");
            thread::sleep(Duration::from_secs(600));
        }
        Some("flood") => {
            let block = [b'x'; 1 << 16];
            for _ in 0..700 * 16 {
                std::io::stdout().write_all(&block).unwrap();
            }
        }
        Some("orphan") => {
            Command::new(env::current_exe().unwrap())
                .arg("serve")
                .stdin(Stdio::null())
                .spawn()
                .unwrap();
            println!("gone");
        }
        Some("environment") => {
            println!("name {}", words[0]);
            println!("directory {}", env::current_dir().unwrap().display());
            let mut all: Vec<(String, String)> = env::vars().collect();
            all.sort();
            for (name, value) in all {
                println!("{name}={value}");
            }
        }
        Some("arguments") => println!("{:?}", &words[2..]),
        _ => println!("rascal"),
    }
}
