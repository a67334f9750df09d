//! Control groups that the kernel rejects: what is shown is what is shown without, and what is rejected is counted.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::containers::id;
use super::groups::{Made, made};
use super::reject::{FORM, rejected};
use super::rig::{Background, alone, within};

/// A process that stays in a group: of one that is younger than two seconds nobody knows what becomes of it.
struct Resident(Child);

impl Resident {
    fn new(group: &Made) -> Resident {
        let script = format!("echo $$ > {}/cgroup.procs; exec sleep 600", group.dir.display());
        Resident(Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Lines of two captures, without and with more than the kernel can know; what the first said at its end.
pub fn both(options: &[&str], filter: &str, act: impl FnOnce()) -> (Vec<String>, Vec<String>, String) {
    let args = |first: &[&'static str], filter: &str| -> Vec<String> {
        let all = first.iter().chain(options).map(|a| (*a).to_owned());
        all.chain((!filter.is_empty()).then(|| filter.to_owned())).collect()
    };
    let start = |args: Vec<String>| Background::start(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let with = start(args(&["-v", "--ring", "32m"], filter));
    // It counts, so that it must see everything.
    let counts =
        if filter.is_empty() { "evt.num > 0".to_owned() } else { format!("({filter}) and evt.num > 0") };
    let without = start(args(&["-v", "--ring", "64m"], &counts));
    std::thread::sleep(Duration::from_millis(700));
    act();
    std::thread::sleep(Duration::from_millis(300));
    let ((a, said, _), (b, said_too, _)) = (with.stop(), without.stop());
    assert!(said.contains(" 0 lost\n") && said_too.contains(" 0 lost\n"), "{said} {said_too}");
    assert_eq!(rejected(&said_too, "control group"), 0, "{said_too}");
    // Of two CPUs each capture may see another first.
    let sorted = |mut lines: Vec<String>| {
        lines.sort_by_cached_key(|l| l.split(' ').take(2).map(str::to_owned).collect::<Vec<_>>());
        lines
    };
    (sorted(a), sorted(b), said)
}

fn same((with, without, said): &(Vec<String>, Vec<String>, String), about: &str) {
    let differ = with.iter().zip(without).find(|(a, b)| a != b);
    assert!(
        differ.is_none() && with.len() == without.len(),
        "{about}: {differ:?} {said}\n{with:#?}\n{without:#?}"
    );
}

#[test]
fn what_runs_elsewhere_is_rejected_in_the_kernel() {
    let _alone = alone!();
    let (one, two, three) = (id('1'), id('2'), id('3'));
    let wanted = made!(Made::at(&format!("/docker/{one}")));
    let other = made!(Made::at(&format!("/docker/{two}")));
    let late = made!(Made::at(&format!("/docker/{three}")));
    let unit = made!(Made::at(&format!("/sysreel-test-{}.slice/a.service", std::process::id())));
    let bare = made!(Made::new("bare"));
    std::fs::remove_dir(&late.dir).unwrap();
    let _residents = [&wanted, &other, &unit, &bare].map(Resident::new);
    std::thread::sleep(Duration::from_millis(2500));
    let enter = |group: &Made| format!("echo $$ > {}/cgroup.procs; ", group.dir.display());
    let make = format!("mkdir {}; ", late.dir.display());
    // In what is rejected files are opened, and read from where it is not; calls that began there end elsewhere.
    let moves = |a: &Made, b: &Made| {
        let (a, b) = (enter(a), enter(b));
        format!(
            "{a} exec 5</etc/passwd; cd /etc; read x <&5; {b} read x <&5; true 1 | cat; {a} exec 6<&5; cat <&6 >/dev/null; {b} read x <&6; exec cat <&6 >/dev/null"
        )
    };
    let (slice, short) = (unit.path.rsplit('/').nth(1).unwrap().to_owned(), &one[..12]);
    let pid = std::process::id();
    let cases: [(&[&str], String, &Made, &Made); 8] = [
        (&["--container", &one], String::new(), &other, &wanted),
        (&["--container", &three], String::new(), &bare, &late),
        (
            &["--container", &three, "--container", short],
            "evt.type in (read, openat, dup2, execve)".into(),
            &unit,
            &late,
        ),
        (&["--unit", "a"], String::new(), &other, &unit),
        (&[], format!("not container.image exists and cgroup.path endswith -{pid}-bare"), &unit, &bare),
        (
            &[],
            format!("not (container.id = {short} or unit.name exists) and cgroup.path startswith /docker/"),
            &wanted,
            &other,
        ),
        (&[], format!("cgroup.path contains {slice} or k8s.pod.name = x"), &bare, &unit),
        (
            &[],
            format!("container.full_id = {one} and not (container.image exists or proc.name = sh)"),
            &other,
            &wanted,
        ),
    ];
    for (options, filter, from, to) in cases {
        let about = format!("{options:?} {filter}");
        let options = [&["-p", FORM], options].concat();
        let noise = format!("{} for i in 1 2 3 4 5 6 7 8; do true | cat; done", enter(from));
        let script =
            format!("{}{}", if std::ptr::eq(to, &raw const late) { &make } else { "" }, moves(from, to));
        let done = both(&options, &filter, || {
            for script in [&noise, &script, &noise] {
                let mut sh = Command::new("sh").args(["-c", script]).stdout(Stdio::null()).spawn().unwrap();
                assert!(within(&mut sh, Duration::from_secs(20)).is_some_and(|s| s.success()), "{script}");
            }
        });
        same(&done, &about);
        let (with, _, said) = &done;
        assert!(
            with.iter().filter(|l| l.contains(" /etc/passwd ")).count() >= 2,
            "{about}: {said}\n{with:#?}"
        );
        assert!(with.iter().any(|l| l.split(' ').nth(2) == Some("execve")), "{about}: {with:#?}");
        let count = rejected(said, "control group");
        assert!(count > 200, "{about}: {count} {said}");
        if std::ptr::eq(to, &raw const late) {
            let _ = std::fs::remove_dir(&late.dir);
        }
    }
}
