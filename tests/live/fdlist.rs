//! Calls that name several descriptors: the file of each, as the process itself sees it, live and reread.
#![allow(unsafe_code, reason = "what is tested are system calls as such")]
#![allow(clippy::print_stdout, reason = "facts go to the test that started us")]

use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use sysreel::batch::NONE;
use sysreel::reel::{Block, Reader};

use super::actor::fact;
use super::rig::{Run, actor, alone, reread, run};

/// A number that is not open.
const CLOSED: i32 = 700;

/// Polls and selects two sockets and a file; dup2 and a pipe.
pub fn act() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    let file = std::fs::File::open("/etc/passwd").unwrap();
    fact("client", client.local_addr().unwrap().port());
    fact("server", server.local_addr().unwrap().port());
    let all = [client.as_raw_fd(), server.as_raw_fd(), file.as_raw_fd()];
    for (name, fd) in ["cfd", "sfd", "ffd"].into_iter().zip(all) {
        fact(name, fd);
    }
    println!("path {}", std::fs::read_link(format!("/proc/self/fd/{}", all[2])).unwrap().display());
    // Not in order, one twice, one that is passed over, one that nothing stands behind.
    let order = [all[2], CLOSED, -1, all[1], all[0], all[2]];
    let mut fds = order.map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
    // SAFETY: arrays and sets that live as long as the calls.
    unsafe {
        libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, 0);
        let (mut read, mut write): (libc::fd_set, libc::fd_set) = std::mem::zeroed();
        libc::FD_SET(all[0], &mut read);
        libc::FD_SET(all[2], &mut read);
        libc::FD_SET(all[1], &mut write);
        let mut none: libc::timeval = std::mem::zeroed();
        let most = all.iter().max().unwrap_or(&0) + 1;
        libc::select(most, &mut read, &mut write, std::ptr::null_mut(), &mut none);
        libc::dup2(all[2], CLOSED);
        libc::close(CLOSED);
    }
}

#[test]
fn each_polled_descriptor_has_its_file() {
    let _alone = alone!();
    let form = "%evt.type %fdlist.nums %fdlist.names %fdlist.cips %fdlist.cports %fdlist.sips %fdlist.sports %evt.certain";
    let filter =
        "evt.type in (poll, ppoll, select, pselect6, dup2, dup3) and fdlist.names contains /etc/passwd";
    let live = run(&["-p", form, filter], &actor("fdlist"));
    check(&live, &live.lines);

    // A reel of everything says the same as one line after the other did live; so does one that only such calls are in.
    let dir = tempfile::tempdir().unwrap();
    for (name, kept) in [("all", &[][..]), ("some", &[filter])] {
        let reel = dir.path().join(name);
        let options = [&["-w", reel.to_str().unwrap()], kept].concat();
        let done = run(&options, &actor("fdlist"));
        let (status, lines, err) = reread(&reel, &["-p", form, filter]);
        assert_eq!(status, 0, "{err}");
        check(&done, &lines);
        // What is cut out of it still has the names, and without names of descriptors none.
        let cut = dir.path().join(format!("{name}.cut"));
        let tool = |options: &[&str]| {
            let mut command = crate::cli::sysreel();
            let done =
                command.arg("cut").args(options).arg(&reel).arg("-w").arg(&cut).arg(filter).output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        };
        tool(&["--force"]);
        assert_eq!(reread(&cut, &["-p", form]).1, lines);
        tool(&["--force", "--drop", "files"]);
        let (_, lines, _) = reread(&cut, &["-p", "%fdlist.names"]);
        assert!(!lines.is_empty() && lines.iter().all(|l| !l.contains('/')), "{lines:?}");
        let mut reader = Reader::new(std::fs::File::open(&cut).unwrap()).unwrap();
        while let Some(Block::Event(mut block)) = reader.next().unwrap() {
            block.load_dict().unwrap();
            let files = block.dict().files;
            assert!(!files.is_empty() && files.iter().all(|f| f.name == NONE && f.given == NONE));
        }
    }
}

/// What was printed is what the process knows of itself.
fn check(done: &Run, lines: &[String]) {
    let (client, server) = (done.fact("client"), done.fact("server"));
    let path = done.stdout.lines().find_map(|l| l.strip_prefix("path ")).unwrap();
    let ends = [
        format!("127.0.0.1:{client}->127.0.0.1:{server}"),
        format!("127.0.0.1:{server}->127.0.0.1:{client}"),
        path.to_owned(),
    ];
    let numbers = ["cfd", "sfd", "ffd"].map(|name| done.fact(name));
    for call in ["poll", "select"] {
        let is_it = |l: &&String| l.starts_with(call) || l.starts_with(&format!("p{call}"));
        let line = lines.iter().find(is_it).unwrap_or_else(|| panic!("no {call} in {lines:?}"));
        let parts: Vec<&str> = line.split(' ').collect();
        let mut nums = numbers.to_vec();
        nums.extend((call == "poll").then_some(i64::from(CLOSED)));
        nums.sort_unstable();
        let nums: Vec<String> = nums.iter().map(i64::to_string).collect();
        assert_eq!(parts[1], nums.join(","), "{line}");
        // In the order of the numbers: each name belongs to its number.
        let mut by_number: Vec<(i64, &String)> = numbers.into_iter().zip(&ends).collect();
        by_number.sort_unstable();
        let ordered: Vec<&str> = by_number.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(parts[2], ordered.join(","), "{line}");
        let twice = |text: &str| [text, text].join(",");
        let ports = [twice(&client.to_string()), twice(&server.to_string())];
        assert_eq!(parts[3..], [&twice("127.0.0.1"), &ports[0], &twice("127.0.0.1"), &ports[1], "true"]);
    }
    let line = lines.iter().find(|l| l.starts_with("dup")).unwrap_or_else(|| panic!("no dup2 in {lines:?}"));
    assert!(line.contains(&format!(" {},{CLOSED} {path},{path} ", numbers[2])), "{line}");
}
