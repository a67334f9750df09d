//! Batches for tests: any valid one, and one like real work makes.

use std::sync::LazyLock;

use proptest::prelude::*;

use crate::batch::*;
use crate::schema::{Arch, Schema};

/// This version's own schema.
pub fn schema() -> &'static Schema {
    static NATIVE: LazyLock<Schema> = LazyLock::new(|| Schema::native(Arch::X86_64));
    &NATIVE
}

/// Everything in a batch, owned, for comparing.
pub fn everything(b: &Batch) -> String {
    let Batch { schema: _, meta, rows, num, time, delta, latency, call, cpu, tid, proc, ret, flags, .. } = *b;
    let host: Vec<u16> = (0..rows).map(|row| b.host_of(row)).collect();
    // The strings of rows are stored in another order: what items say, not by which id.
    let items: Vec<String> = b
        .items
        .iter()
        .map(|i| i.id().map_or(format!("{i:?}"), |id| format!("{:?} {}", b.dict.strings.get(id), i.is_cut())))
        .collect();
    let d = &b.dict;
    let own = d.procs.iter().flat_map(|p| [p.comm, p.exepath, p.args, p.cwd, p.cgroup, p.env]);
    let own = own.chain(d.files.iter().flat_map(|f| [f.name, f.given]));
    let own = own.chain(d.users.iter().flat_map(|u| [u.name, u.home, u.shell]));
    let own = own.chain(d.groups.iter().map(|g| g.name));
    let own: Vec<_> =
        own.chain(d.containers.iter().flat_map(Container::strings)).map(|id| d.strings.find(id)).collect();
    let mut all: Vec<_> = (0..d.strings.len()).map(|id| d.strings.get(id as u32)).collect();
    all.sort_unstable();
    format!(
        "{meta:?} {rows} {host:?} {num:?} {time:?} {delta:?} {latency:?} {call:?} {cpu:?} {tid:?} {proc:?} {ret:?} {flags:?} {:?} {:?} {:?} \
         {items:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {own:?} {all:?}",
        b.word_at,
        b.words,
        b.item_at,
        b.ref_at,
        b.refs,
        b.fdlist_row,
        b.fdlist,
        d.procs,
        d.files,
        d.users,
        d.groups,
        d.containers
    )
}

/// A small generator of numbers, so that a sample is the same every time.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        (self.roll() >> 11) % n.max(1)
    }

    /// Mostly small, sometimes anything.
    pub fn any(&mut self) -> u64 {
        let shift = self.below(64);
        self.roll() >> shift
    }

    fn id(&mut self, count: usize) -> u32 {
        if count == 0 || self.below(4) == 0 { NONE } else { self.below(count as u64) as u32 }
    }
}

/// Any valid block of that many rows.
pub fn wild(schema: &Schema, rows: usize, seed: u64) -> Builder {
    let mut d = Dice(seed | 1);
    let mut b = Builder::new();
    b.set_meta(Meta { start_time: d.any(), boot: d.any(), wall: d.any(), host: d.any() as u16 });
    let (mut strings, mut procs, mut files, mut users, mut groups) = (0, 0usize, 0usize, 0usize, 0usize);
    for _ in 0..d.below(12) {
        let text: Vec<u8> = (0..d.below(40)).map(|_| d.any() as u8).collect();
        strings = strings.max(b.string(&text) as usize + 1);
    }
    for _ in 0..d.below(4) {
        b.user(User { uid: d.any() as u32, name: d.id(strings), home: d.id(strings), shell: d.id(strings) });
        users += 1;
    }
    for _ in 0..d.below(4) {
        b.group(Group { gid: d.any() as u32, name: d.id(strings) });
        groups += 1;
    }
    let mut containers = 0;
    for _ in 0..d.below(3) {
        let mut entry = Container {
            runtime: d.below(9) as u32,
            flags: d.any() as u32,
            sources: d.any() as u32,
            started: d.any(),
            ..Container::default()
        };
        entry.strings_mut().into_iter().for_each(|id| *id = d.id(strings));
        b.container(entry);
        containers += 1;
    }
    let files_to_come = d.below(6) as usize;
    for _ in 0..d.below(6) {
        let parent = d.id(procs);
        b.proc(Proc {
            pid: d.any() as u32,
            ppid: d.any() as u32,
            parent,
            start: d.any(),
            uid: d.any() as u32,
            gid: d.any() as u32,
            ruid: d.any() as u32,
            rgid: d.any() as u32,
            loginuid: d.id(3),
            user: d.id(users),
            group: d.id(groups),
            sid: d.any() as u32,
            pgid: d.any() as u32,
            tty: d.any() as u32,
            vpid: d.any() as u32,
            comm: d.id(strings),
            exepath: d.id(strings),
            args: d.id(strings),
            cwd: d.id(strings),
            cgroup: d.id(strings),
            flags: d.any() as u32,
            login: d.id(users),
            leader: d.id(procs),
            group_leader: d.id(procs),
            stdio: std::array::from_fn(|_| d.id(files_to_come)),
            threads: d.any() as u32,
            exe_ino: d.any(),
            exe_ctime: d.any(),
            exe_mtime: d.any(),
            caps: [d.any(), 0, d.any()],
            env: d.id(strings),
            container: d.id(containers),
        });
        procs += 1;
    }
    for _ in 0..files_to_come {
        b.file(File {
            kind: FileKind::from_number(d.below(25) as u8),
            role: [Role::Unknown, Role::Client, Role::Server][d.below(3) as usize],
            l4: [L4::Unknown, L4::Tcp, L4::Udp, L4::Icmp, L4::Raw][d.below(5) as usize],
            name: d.id(strings),
            given: d.id(strings),
            dev: d.any() as u32,
            ino: d.any(),
            lport: d.any() as u16,
            rport: d.any() as u16,
            laddr: std::array::from_fn(|_| d.any() as u8),
            raddr: std::array::from_fn(|_| d.any() as u8),
            flags: d.any() as u32,
        });
        files += 1;
    }
    let mut codes: Vec<u16> = schema.named().map(|s| s.code).chain([500, 1999, 3071]).collect();
    if seed % 5 == 2 {
        codes.retain(|code| {
            matches!(&*schema.shape(*code).name, "fstat" | "newfstatat" | "openat" | "poll" | "pipe2")
        });
    }
    let orderly = d.below(4) != 0;
    let mut time = d.any() / 2;
    for i in 0..rows {
        let shape = schema.shape(codes[d.below(codes.len() as u64) as usize]);
        let before = time;
        time = if orderly { time.saturating_add(d.any() >> 20) } else { d.any() };
        // Nothing left out before the row, something, or nonsense.
        let delta = match d.below(8) {
            0 => d.any(),
            1 => time.wrapping_sub(before) / 3,
            _ => time.wrapping_sub(before),
        };
        let words: Vec<u64> = (0..shape.words()).map(|_| d.any()).collect();
        let items: Vec<Item> = (0..shape.items)
            .map(|_| match d.below(6) {
                // Structures of one size.
                _ if seed % 5 == 2 => {
                    let word = d.any() >> 40;
                    Item::new(b.string(&[&word.to_le_bytes()[..], &[7; 5]].concat()), false)
                }
                0 => Item::ABSENT,
                1 => Item::UNREADABLE,
                _ if strings == 0 => Item::ABSENT,
                n => Item::new(d.below(strings as u64) as u32, n == 2),
            })
            .collect();
        let refs: Vec<FileId> = (0..shape.refs).map(|_| d.id(files)).collect();
        b.push(
            Row {
                num: if orderly { i as u64 * 2 } else { d.any() },
                time,
                delta,
                latency: if d.below(3) == 0 { NO_LATENCY } else { d.any() },
                call: shape.code,
                cpu: d.any() as u16,
                tid: d.any() as u32,
                proc: d.id(procs),
                ret: d.any() as i64 * if d.below(2) == 0 { 1 } else { -1 },
                flags: d.below(3) as u16,
            },
            &words,
            &items,
            &refs,
        );
        if seed % 3 == 1 {
            b.host((i * 7 % 5) as u16);
        }
        if seed.is_multiple_of(2) && d.below(4) == 0 {
            let list: Vec<FileId> = (0..d.below(9)).map(|_| d.id(files)).collect();
            b.fdlist(&list);
        }
    }
    b
}

pub fn any_block() -> impl Strategy<Value = (usize, u64)> {
    (0usize..60, any::<u64>())
}

/// A block like a busy host makes: twelve processes on four CPUs that open, read, write and close.
pub fn busy(schema: &Schema, rows: usize) -> Builder {
    let code = |name| schema.code(name).unwrap_or(0);
    let (read, write, close, openat) = (code("read"), code("write"), code("close"), code("openat"));
    let mut d = Dice(4711);
    let mut b = Builder::new();
    b.set_meta(Meta { start_time: 1 << 40, boot: 1 << 40, wall: 1 << 60, host: 0 });
    let mut at = Vec::new();
    for i in 0..12u32 {
        let comm = b.string(format!("worker{i}").as_bytes());
        let exepath = b.string(format!("/usr/bin/worker{}", i / 3).as_bytes());
        let cgroup = b.string(b"/system.slice/worker.service");
        b.proc(Proc {
            pid: 1000 + i * 7,
            ppid: 1,
            comm,
            exepath,
            cgroup,
            uid: 1000,
            gid: 1000,
            ..Proc::default()
        });
        // Step, file, address of the buffer, offset in the file, how often it reads yet.
        at.push((0u8, NONE, 0x7ffc_1234_0000u64 + u64::from(i) * 0x1_0000_0000, 0u64, 0u64));
    }
    let (mut time, mut i, mut proc, mut paths) = (1u64 << 40, 0u64, 0usize, 0u64);
    while b.rows() < rows {
        if d.below(6) == 0 {
            proc = d.below(12) as usize;
        }
        let delta = 800 + d.below(4000);
        time += delta;
        i += 1;
        let (step, file, buffer, _, left) = at[proc];
        let mut row = Row {
            num: i,
            time,
            delta,
            latency: 300 + d.below(1500) * (1 + d.below(10) / 9 * 20),
            call: read,
            cpu: (proc % 4) as u16,
            tid: 1000 + proc as u32 * 7 + if proc == 3 { d.below(4) as u32 } else { 0 },
            proc: proc as u32,
            ret: 0,
            flags: 0,
        };
        match step {
            0 => {
                let fresh = d.below(3) != 0 || paths == 0;
                let n = if fresh { paths } else { d.below(paths) };
                paths += u64::from(fresh);
                let path = format!("/usr/src/linux/drivers/net/dir{:02}/file_{n}.c", n % 40);
                let name = b.string(path.as_bytes());
                let failed = d.below(5) == 0;
                row.call = openat;
                row.ret = if failed { -2 } else { 3 + d.below(3) as i64 };
                let made = if failed {
                    NONE
                } else {
                    b.file(File {
                        kind: FileKind::File,
                        name,
                        dev: 0x800001,
                        ino: 5000 + n,
                        ..File::default()
                    })
                };
                let words = [0xffff_ff9c, buffer + 0x5000 + d.below(8) * 16, 0o2000000, 0];
                b.push(row, &words, &[Item::new(name, false)], &[NONE, made]);
                if !failed {
                    at[proc] = (1, made, buffer, row.ret as u64, d.below(12));
                }
            }
            1 => {
                let (fd, last) = (at[proc].3, left == 0);
                row.call = if d.below(4) == 0 { write } else { read };
                row.ret =
                    if last { 0 } else { [4096, 4096, 832, 100 + d.below(3000) as i64][d.below(4) as usize] };
                let count = if row.call == write { row.ret as u64 } else { 4096 };
                b.push(row, &[fd, buffer, count], &[Item::ABSENT], &[file]);
                at[proc].4 = left.saturating_sub(1);
                if last {
                    at[proc].0 = 2;
                }
            }
            _ => {
                row.call = close;
                b.push(row, &[at[proc].3], &[], &[file]);
                at[proc] = (0, NONE, buffer, 0, 0);
            }
        }
    }
    b.close();
    b
}
