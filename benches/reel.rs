//! What a reel takes: bytes an event, and events a second written and read, for three kinds of work, beside what others
//! make of the same work.
//!
//! Each kind of work is run under `sysreel run -w`; its events as plain rows of 80 bytes with their strings and payload are
//! packed by LZ4 (pieces of 64 KiB) and by `zstd`; the same work is run under `strace -f -o FILE` and under
//! `perf record -e raw_syscalls:*`. What is not installed is left out, and said. Needs root.
//!
//! CPU time of one thread, the least of several runs. Times are never judged here; wrong counts are.
#![allow(clippy::print_stdout, reason = "a benchmark is a program that prints")]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use common::{Totals, least, long, machine, plain_rows, sysreel};
use sysreel::batch::Columns;
use sysreel::reel::{Block, Reader, Stored, Writer};

/// Kinds of work: a name, options of the capture, a script. `WORK` in it is this program. Each makes some 200,000 to
/// 350,000 events where /usr has what a small Debian with compilers has: enough for several blocks, and few enough for
/// strace.
const WORK: &[(&str, &[&str], &str)] = &[
    (
        "files",
        &[],
        "find /usr/share -xdev > /dev/null; ls -lR /usr/share > /dev/null; tar cf - /usr/include | cat > /dev/null",
    ),
    ("network", &[], "WORK --connections"),
    (
        "payload, -s 4096",
        &["-s", "4096"],
        "tar cf - /usr/include /usr/share/doc | cat > /dev/null; find /usr/share/doc -type f -exec cat {} + > /dev/null",
    ),
];

/// A server and its clients over loopback, in one process: connections that send and get a few messages.
fn connections() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let to = listener.local_addr()?;
    let server = std::thread::spawn(move || -> std::io::Result<()> {
        for _ in 0..CONNECTIONS {
            let (mut stream, _) = listener.accept()?;
            let mut asked = [0; 64];
            for i in 0..MESSAGES {
                stream.read_exact(&mut asked)?;
                stream.write_all(format!("{:<200}", format!("answer {i} to {}", asked[8])).as_bytes())?;
            }
        }
        Ok(())
    });
    for c in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        let mut answer = [0; 200];
        for i in 0..MESSAGES {
            stream.write_all(format!("{:<64}", format!("GET /{c}/{i}")).as_bytes())?;
            stream.read_exact(&mut answer)?;
        }
    }
    server.join().unwrap_or(Ok(()))
}

const CONNECTIONS: usize = 2_500;
const MESSAGES: usize = 20;

fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Runs to the end with a file as last but the script; gives the file's size.
fn size_under(program: &str, args: &[&str], path: &Path, script: &str) -> Option<u64> {
    let path = path.to_str()?;
    let args = args.iter().map(|a| if *a == "FILE" { path } else { a });
    let out =
        Command::new(program).args(args).args(["sh", "-c", script]).stdin(Stdio::null()).output().ok()?;
    out.status.success().then(|| fs::metadata(path).ok().map(|m| m.len()))?
}

/// Size of bytes packed by the command.
fn zstd(level: &str, path: &Path) -> Option<usize> {
    let out = Command::new("zstd").args(["-q", "-c", level]).arg(path).output().ok()?;
    out.status.success().then_some(out.stdout.len())
}

fn measure(
    dir: &Path,
    (name, options, script): (&str, &[&str], &str),
    wrong: &mut Vec<String>,
) -> Result<(), String> {
    let me = std::env::current_exe().map_err(|e| e.to_string())?;
    let script = script.replace("WORK", &me.to_string_lossy());
    let path = dir.join("t.reel");
    let text = path.to_string_lossy();
    let mut args = vec!["run", "--force", "-w", &text];
    args.extend(options);
    args.extend(["--", "sh", "-c", &script]);
    let out = sysreel(&args);
    let totals =
        Totals::find(&out.stderr).ok_or_else(|| String::from_utf8_lossy(&out.stderr).into_owned())?;
    let bytes = fs::read(&path).map_err(|e| e.to_string())?;

    let reader = Reader::new(&bytes[..]).map_err(|e| e.to_string())?;
    let schema = reader.schema().clone();
    let header = reader.header().clone();
    let rounds = if long() { 15 } else { 5 };
    let load = || {
        let mut all: Vec<Stored> = Vec::new();
        let mut reader = Reader::new(&bytes[..]).expect("a reel");
        while let Some(block) = reader.next().expect("a whole reel") {
            if let Block::Event(mut block) = block {
                block.load(Columns::ALL).expect("a whole block");
                all.push(block);
            }
        }
        all
    };
    let read = least(rounds, load);
    let all = load();
    let rows: usize = all.iter().map(Stored::rows).sum();
    if rows as u64 != totals.shown {
        wrong.push(format!("{name}: {rows} rows of {} events", totals.shown));
    }
    let n = rows as f64;
    let written = least(rounds, || {
        let mut writer = Writer::new(std::io::sink(), &header, &schema).expect("nowhere is always there");
        for block in &all {
            writer.write_block(&block.view(&schema)).expect("a block");
        }
    });
    println!("\n{name}: {rows} events, {} lost, {} blocks", totals.lost, all.len());
    let line = |what: &str, size: f64, ns: Option<f64>| {
        let ns = ns.map_or_else(String::new, |ns| format!("{:>8.1} ns  {:>7.2} M/s", ns, 1e3 / ns));
        println!("  {what:<34} {size:>9.2} bytes/event {:>6.2} {ns}", size / (bytes.len() as f64 / n));
    };
    line("reel, written", bytes.len() as f64 / n, Some(written / n));
    line("reel, all read", bytes.len() as f64 / n, Some(read / n));

    let plain = plain_rows(&all, &schema);
    line("plain rows", plain.len() as f64 / n, None);
    let mut out = vec![0; lz4_flex::block::get_maximum_output_size(64 << 10)];
    let mut size = 0;
    let lz4 = least(rounds, || {
        size = 0;
        let mut crc = 0;
        for piece in plain.chunks(64 << 10) {
            let n = lz4_flex::block::compress_into(piece, &mut out).expect("room");
            crc ^= crc32fast::hash(&out[..n]);
            size += n;
        }
        crc
    });
    line("plain rows, LZ4 and CRC", size as f64 / n, Some(lz4 / n));
    let rows_path = dir.join("rows");
    fs::write(&rows_path, &plain).map_err(|e| e.to_string())?;
    for level in ["-3", "-19"].into_iter().take(if long() { 2 } else { 1 }) {
        match zstd(level, &rows_path) {
            Some(size) => line(&format!("plain rows, zstd {level}"), size as f64 / n, None),
            None => println!("  zstd is not there"),
        }
    }
    if let Some(size) = zstd("-3", &path) {
        line("the reel, packed again by zstd -3", size as f64 / n, None);
    }
    let strings = if options.is_empty() { "80" } else { "4096" };
    let text = dir.join("strace.txt");
    let peers: [(&str, &str, &[&str]); 2] = [
        ("strace -f -ttt -T", "strace", &["-f", "-ttt", "-T", "-s", strings, "-o", "FILE"]),
        ("perf record -e raw_syscalls:*", "perf", &["record", "-q", "-e", "raw_syscalls:*", "-o", "FILE"]),
    ];
    for (what, program, args) in peers {
        if !installed(program) {
            println!("  {program} is not there");
            continue;
        }
        match size_under(program, args, &text, &script) {
            Some(size) => line(what, size as f64 / n, None),
            None => println!("  {what} failed"),
        }
        let _ = fs::remove_file(&text);
    }
    Ok(())
}

fn main() -> ExitCode {
    if std::env::args().any(|a| a == "--connections") {
        return connections().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    let Ok(dir) = tempfile::tempdir() else { return ExitCode::FAILURE };
    println!("\nreel: bytes an event, times the reel's, CPU time an event ({})", machine());
    println!("sysdig writes no captures here (it needs its driver): there is no file of equal content.");
    let mut wrong = Vec::new();
    for work in WORK {
        if let Err(e) = measure(dir.path(), *work, &mut wrong) {
            println!("{}: not measured: {e}", work.0);
        }
    }
    for failure in &wrong {
        println!("WRONG: {failure}");
    }
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
