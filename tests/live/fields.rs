//! Every field, live and from a reel: what was printed while the events came is what the file says later.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sysreel::batch::{Builder, Columns, Meta};
use sysreel::reel::{Block, Header, Reader, Totals, Writer};
use sysreel::schema::{Arch, Schema};
use sysreel::selfcheck::check;
use sysreel::source::abi;
use sysreel::source::live::plan::{Interest, Snaplen, plans};
use sysreel::source::live::{Beside, Clocks, Options, Probe, boot_now};
use sysreel::state::State;
use sysreel::users::Users;

use super::rig::alone;
use crate::fields::{print, same};

/// Pipes, children, a session and a group of their own, changed streams and directory, a failed connection, another user.
const SCRIPT: &str = "\
cd /\n\
ls | sort | wc -l\n\
exec 2> /dev/null\n\
setsid sh -c 'cat /etc/passwd | head -n 1; (cd /tmp; pwd); exec cat /no/such/file'\n\
(sleep 0.01 & wait)\n\
head -c 10 < /dev/zero\n";

/// A shell that does not outlive a test that fails.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_reel_prints_every_field_as_the_live_capture_did() {
    let _alone = alone!();
    let schema = Schema::native(Arch::NATIVE).on("here");
    let options = Options {
        ring: 8 << 20,
        scoped: true,
        entry: true,
        rt_sigreturn: 15,
        env: false,
        bounds: 0,
        beside: Beside::default(),
    };
    let (mut probe, mut rings) = Probe::load(options).unwrap();
    probe.attach().unwrap();
    let (_, facts, next) = check(&probe, &mut rings, &schema, true);
    let mut interest = Interest::new(&schema, true, |_| true);
    interest.facts = facts;
    probe.set_plans(&plans(&schema, &interest, Snaplen(80)));
    let users = Users::system().unwrap();
    let mut state = State::new(&schema, Path::new("/proc"), users, boot_now).with_environments();
    for (cpu, next) in next.into_iter().enumerate() {
        state.expect(cpu, next);
    }
    let shell =
        Command::new("sh").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut shell = Ends(shell);
    // It has begun when it waits for its first line.
    std::thread::sleep(Duration::from_millis(100));
    state.read(shell.0.id());
    probe.set_scope(shell.0.id(), abi::SCOPE_IN);
    shell.0.stdin.take().unwrap().write_all(SCRIPT.as_bytes()).unwrap();

    let mut builder = Builder::new();
    let (boot, wall) = Clocks::default().pair();
    builder.set_meta(Meta { start_time: boot_now(), boot, wall, host: 0 });
    let (mut live, mut done, mut ended) = (Vec::new(), 0, None);
    let begin = Instant::now();
    loop {
        let drained = rings.drain(boot_now(), |cpu, bytes| {
            state.take(cpu, bytes, &|_: u16| true, &mut builder);
            !builder.is_full()
        });
        // As it happens, row by row: later changes of the world must not reach back.
        let view = builder.view(&schema);
        print(&view, done, &mut live);
        done = view.rows;
        ended = ended.or_else(|| shell.0.try_wait().unwrap().map(|_| Instant::now()));
        if drained.records == 0 && ended.is_some_and(|at| at.elapsed() > Duration::from_millis(200)) {
            break;
        }
        assert!(begin.elapsed() < Duration::from_secs(60) && !builder.is_full());
        std::thread::sleep(Duration::from_millis(1));
    }
    probe.detach();
    assert_eq!((state.seen().lost, state.seen().broken), (0, 0));
    assert!(done > 300, "{done} events");

    builder.close();
    let mut writer =
        Writer::new(Vec::new(), &Header { hostname: "here".into(), ..Header::default() }, &schema).unwrap();
    writer.write_block(&builder.view(&schema)).unwrap();
    let file = writer.finish(&Totals::default()).unwrap();
    let mut reader = Reader::new(&file[..]).unwrap();
    let schema = reader.schema().clone();
    let mut reread = Vec::new();
    while let Some(block) = reader.next().unwrap() {
        if let Block::Event(mut block) = block {
            block.load(Columns::ALL).unwrap();
            block.load_dict().unwrap();
            print(&block.view(&schema), 0, &mut reread);
        }
    }
    let (live, reread) = (String::from_utf8(live).unwrap(), String::from_utf8(reread).unwrap());
    same(&live, &reread);
    // And it is true.
    let has = |what: &[&str]| live.lines().any(|l| what.iter().all(|w| l.contains(w)));
    for what in [
        &["evt.type=execve", "proc.name=sort", "proc.sname=", "proc.stdin.type=pipe"][..],
        // Read from /proc: one that ends soon may be gone by then, but the shell is there all the time.
        &["proc.name=sh\t", "proc.env[PATH]=/"],
        &["evt.type=execve", "proc.name=cat\t", "proc.is_sid_leader=true", "proc.stderr.name=/dev/null"],
        &["evt.type=read", "proc.name=head", "proc.stdin.name=/dev/zero"],
        &["evt.type=chdir", "proc.cwd=/tmp"],
    ] {
        assert!(has(what), "nothing has {what:?}");
    }
}
