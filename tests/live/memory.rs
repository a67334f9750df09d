//! What the probe reads of a program's memory: payload up to the snaplen, messages, sets, and what cannot be read.

use serde_json::{Value, json};

use super::memory_actor::{LONG_PATH, pattern};
use super::rig::{Run, actor, alone, of, reread, res, run};

/// The events of one type that are the actor's own: it marks the start by a lseek on a descriptor that does not exist.
fn own<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    let start = events.iter().position(|e| e["evt.type"] == "lseek" && e["evt.args"]["fd"]["fd"] == -77);
    of(&events[start.expect("the mark")..], name)
}

fn captured(options: &[&str], name: &str) -> (Run, Vec<Value>) {
    let done = run(&[&["-j"], options].concat(), &actor(name));
    assert_eq!(done.status.code(), Some(0), "{}{}", done.stderr, done.stdout);
    let events = done.events();
    (done, events)
}

/// The bytes of a buffer in JSON, whether it was cut, and its whole length if that is told.
fn bytes(v: &Value) -> (Vec<u8>, bool, Option<u64>) {
    let text = |v: &Value| v.as_str().map(|s| s.as_bytes().to_vec());
    let cut = v["cut"] == true;
    let data = text(v).or_else(|| text(&v["text"])).unwrap_or_else(|| panic!("{v}"));
    (data, cut, v["len"].as_u64())
}

#[test]
fn payload_is_copied_up_to_the_snaplen_and_the_cut_is_told() {
    let _alone = alone!();
    for snaplen in [0usize, 80, 4095, 8191, 8192, 30_000, 65_536] {
        let (_, events) =
            captured(&["-s", &snaplen.to_string(), "evt.type in (lseek, write, read)"], "payload");
        for (name, arg) in [("write", "buf"), ("read", "buf")] {
            let all = own(&events, name);
            assert_eq!(all.len(), 4, "{name} -s {snaplen}");
            for (e, size) in all.into_iter().zip([10, 5000, 65_536, 70_000usize]) {
                assert_eq!(res(e), size as i64, "{e}");
                let (data, cut, len) = bytes(&e["evt.args"][arg]);
                let shown = size.min(snaplen);
                assert_eq!(data.len(), shown, "{name} of {size} with -s {snaplen}");
                assert!(data == pattern(size)[..shown], "{name} of {size} with -s {snaplen}");
                assert_eq!((cut, len), (shown < size, (shown < size).then_some(size as u64)));
            }
        }
    }
}

#[test]
fn long_payload_comes_through_a_reel() {
    let _alone = alone!();
    let dir = tempfile::tempdir().unwrap();
    let reel = dir.path().join("t.reel");
    let done =
        run(&["-s", "65536", "-w", reel.to_str().unwrap(), "evt.type in (lseek, write)"], &actor("payload"));
    assert_eq!(done.status.code(), Some(0), "{}", done.stderr);
    let (status, lines, err) = reread(&reel, &["-j"]);
    assert_eq!(status, 0, "{err}");
    let events = super::rig::parse(&lines);
    let sizes: Vec<usize> =
        own(&events, "write").iter().map(|e| bytes(&e["evt.args"]["buf"]).0.len()).collect();
    assert_eq!(sizes, [10, 5000, 65_536, 65_536]);
}

#[test]
fn vectors_are_joined_and_their_length_is_known_even_if_the_call_failed() {
    let _alone = alone!();
    let (_, events) = captured(&["-s", "100", "evt.type in (lseek, writev)"], "vectors");
    let all: Vec<_> = own(&events, "writev").iter().map(|e| e["evt.args"]["iov"].clone()).collect();
    let [three, many, failed, torn, gone] = &all[..] else { panic!("{all:?}") };
    assert_eq!(*three, "onetwothree");
    // A hundred of one byte each: the walk ends before the last.
    let (data, cut, len) = bytes(many);
    assert_eq!((data.len(), cut, len), (64, true, Some(100)), "{many}");
    // The descriptor was bad; the lengths of the iovecs tell.
    let (data, cut, len) = bytes(failed);
    assert_eq!((data.len(), cut, len), (100, true, Some(1300)), "{failed}");
    // The second iovec points nowhere: what was before it is shown.
    let (data, cut, _) = bytes(torn);
    assert_eq!((data.as_slice(), cut), (&b"one"[..], true), "{torn}");
    assert!(gone["unreadable"].is_string(), "{gone}");
}

#[test]
fn paths_and_arguments_are_whole_or_marked() {
    let _alone = alone!();
    let (_, events) = captured(&["evt.type in (lseek, open, execve)"], "strings");
    let paths: Vec<_> = own(&events, "open").iter().map(|e| bytes(&e["evt.args"]["path"])).collect();
    let [longest, longer, unterminated] = &paths[..] else { panic!("{paths:?}") };
    assert_eq!((longest.0.len(), longest.1), (LONG_PATH, false), "the longest legal path is whole");
    assert_eq!((longer.0.len(), longer.1), (LONG_PATH + 1, true), "a longer one is cut");
    assert_eq!((unterminated.0.len(), unterminated.1), (LONG_PATH + 1, true));
    let execs = own(&events, "execve");
    let [few, long, many] = &execs[..] else { panic!("{execs:?}") };
    let argv = |e: &Value| e["evt.args"]["argv"].as_array().unwrap_or_else(|| panic!("{e}")).clone();
    assert_eq!(argv(few), [json!("zero"), json!(""), json!("two words")]);
    let long = argv(long);
    assert_eq!(long[0].as_str().map(str::len), Some(3000), "a long argument is whole");
    let (data, cut, _) = bytes(&long[1]);
    assert!(cut && data.len() > 1000, "of the next there is what had room: {}", data.len());
    assert_eq!(long.last(), Some(&json!({"cut": true})));
    let many = argv(many);
    assert_eq!((many.len(), many.last()), (65, Some(&json!({"cut": true}))));
}

#[test]
fn messages_have_names_control_and_data() {
    let _alone = alone!();
    let (done, events) = captured(&["evt.type in (lseek, sendmsg, recvmsg, sendmmsg, recvmmsg)"], "messages");
    let sent: Vec<_> = own(&events, "sendmsg").iter().map(|e| e["evt.args"]["msg"].clone()).collect();
    let got: Vec<_> = own(&events, "recvmsg").iter().map(|e| e["evt.args"]["msg"].clone()).collect();
    let fd = |name: &str| json!({"fd": done.fact(name)});
    let rights = |fds: Vec<Value>| json!([{"level": "SOL_SOCKET", "type": "SCM_RIGHTS", "fds": fds}]);
    assert_eq!(sent[0], json!({"data": "hello, world", "control": rights(vec![fd("a"), fd("b")])}));
    assert_eq!(got[0]["data"], "hello, world");
    assert_eq!(got[0]["control"], rights(vec![fd("got_a"), fd("got_b")]));
    assert_eq!(got[0]["flags"], json!(["MSG_CMSG_CLOEXEC"]));
    let creds = json!([{"level": "SOL_SOCKET", "type": "SCM_CREDENTIALS", "pid": done.fact("pid"), "uid": 0, "gid": 0}]);
    assert_eq!(got[1]["control"], creds);
    // To a name, more than the snaplen.
    assert_eq!(sent[2]["name"]["port"], done.fact("port"));
    let (data, cut, len) = bytes(&sent[2]["data"]);
    assert_eq!((data.len(), cut, len), (80, true, Some(300)));
    assert_eq!(got[2]["name"]["port"], done.fact("from"));
    assert_eq!(got[2]["flags"], json!(["MSG_TRUNC"]));
    let (data, cut, len) = bytes(&got[2]["data"]);
    assert_eq!((data.len(), cut, len), (5, true, Some(300)), "the buffer had no room for more");

    let vec = own(&events, "sendmmsg")[0];
    assert_eq!(res(vec), 3);
    let messages = json!([
        {"data": "first", "len": 5},
        {"data": "", "len": 0},
        {"data": "third one", "len": 9},
    ]);
    assert_eq!(vec["evt.args"]["msgvec"], messages);
    let back = own(&events, "recvmmsg")[0];
    assert_eq!(res(back), 3);
    let received: Vec<_> =
        back["evt.args"]["msgvec"].as_array().unwrap().iter().map(|m| &m["data"]).collect();
    assert_eq!(received, ["first", "", "third one"]);
    assert_eq!(back["evt.args"]["timeout"], json!({"tv_sec": 7, "tv_nsec": 5}), "as it was given");
    // A hundred: as many as the walk takes, and then it says so.
    let hundred = own(&events, "sendmmsg")[1]["evt.args"]["msgvec"].as_array().unwrap().clone();
    assert_eq!((hundred.len(), hundred.last()), (65, Some(&json!({"cut": true}))));
}

#[test]
fn what_a_call_overwrites_is_shown_as_it_was_given() {
    let _alone = alone!();
    let (done, events) = captured(&["evt.type in (lseek, select, pselect6, poll, ppoll, sendfile)"], "waits");
    let (ready, idle) = (done.fact("ready"), done.fact("idle"));
    let select = own(&events, "select");
    let args = |e: &Value| e["evt.args"].clone();
    let first = args(select[0]);
    assert_eq!(res(select[0]), 1);
    assert_eq!(first["readfds"], json!({"requested": [ready, idle], "ready": [ready]}));
    assert_eq!(first["writefds"], json!({"requested": [], "ready": []}));
    assert_eq!(first["exceptfds"], Value::Null);
    assert_eq!(first["timeout"], json!({"tv_sec": 9, "tv_usec": 8}));
    // It failed, and the kernel has not touched the sets.
    assert_eq!(res(select[1]), -i64::from(libc::EBADF));
    assert_eq!(args(select[1])["readfds"], json!({"requested": [ready, 60]}));
    // It timed out: the kernel has left 0 in the timeout.
    let p = own(&events, "pselect6")[0];
    assert_eq!(res(p), 0);
    assert_eq!(args(p)["readfds"], json!({"requested": [idle], "ready": []}));
    assert_eq!(args(p)["timeout"], json!({"tv_sec": 0, "tv_nsec": 2_000_000}));
    let p = own(&events, "ppoll")[0];
    let polls = json!([
        {"fd": ready, "events": ["POLLIN"], "revents": ["POLLIN"]},
        {"fd": idle, "events": ["POLLIN"]},
        {"fd": -1, "events": ["POLLOUT"]},
    ]);
    assert_eq!(args(p)["fds"], polls);
    assert_eq!(args(p)["tmo_p"], json!({"tv_sec": 3, "tv_nsec": 4}));
    let s = own(&events, "sendfile")[0];
    assert_eq!((res(s), &args(s)["offset"]), (4, &json!(2)), "the kernel has moved it to 6");

    // Without the entry hook nobody knows; the sets of what is ready are still there.
    let (_, events) = captured(&["--no-latency", "evt.type in (lseek, select, pselect6)"], "waits");
    let select = own(&events, "select");
    let first = args(select[0]);
    assert!(first["readfds"]["requested"]["unreadable"].is_string(), "{first}");
    assert_eq!(first["readfds"]["ready"], json!([ready]));
    assert!(first["timeout"]["unreadable"].is_string(), "{first}");
    assert_eq!(args(select[1])["readfds"], json!({"requested": [ready, 60]}));
}

/// Whatever a program gives the kernel: it gets the same answers, and no event is missing or makes one up.
#[test]
fn garbage_makes_no_difference_to_the_program() {
    let _alone = alone!();
    let me = actor("garbage");
    let plain = std::process::Command::new(&me[0]).args(&me[1..]).output().unwrap();
    let untraced = String::from_utf8(plain.stdout).unwrap();
    assert!(untraced.lines().count() > 60, "{untraced}");
    for snaplen in ["0", "80", "65536"] {
        let (done, events) = captured(&["-s", snaplen], "garbage");
        assert_eq!(done.stdout, untraced, "-s {snaplen}");
        // Each line is a call and its result, in order.
        let start = events.iter().position(|e| e["evt.type"] == "lseek" && e["evt.args"]["fd"]["fd"] == -77);
        let mut rest = events[start.unwrap()..].iter();
        for line in untraced.lines() {
            let (name, result) = line.rsplit_once(' ').unwrap();
            let (call, _) = name.split_once(' ').unwrap_or((name, ""));
            let found = rest.find(|e| e["evt.type"] == call && res(e) == result.parse::<i64>().unwrap());
            let e = found.unwrap_or_else(|| panic!("{line} is not among the events"));
            // Without payload nobody looks.
            if name.contains("nowhere") && !(snaplen == "0" && name.starts_with("write")) {
                assert!(e["evt.args"].to_string().contains("unreadable"), "{line}: {e}");
            }
        }
    }
}

/// Memory that another thread changes while it is read gives some of its values, and nothing else.
#[test]
fn memory_that_changes_meanwhile_is_survived() {
    let _alone = alone!();
    let (_, events) = captured(
        &["-s", "16384", "--ring", "256m", "evt.type in (lseek, sendmsg, writev, open)"],
        "changing",
    );
    let all = own(&events, "sendmsg");
    assert!(all.len() >= 3000, "{}", all.len());
    for e in all {
        assert!(e["evt.args"]["msg"].is_object() || e["evt.args"]["msg"].is_null(), "{e}");
    }
}
