//! The filter language in words, for the manual page.
//!
//! Enters: nothing; these are texts. Leaves: them. Never: fields, roff.

/// What a filter is made of.
pub const FORM: &[&str] = &[
    "A filter is made of tests, joined by and, or, not (or &&, ||, !) and parentheses; not binds most, or least. \
     A test is a field, an operator and a value; a field of type bool may stand alone. All words of the \
     command line make one filter; quote it, because shells give some of its characters a meaning of their own, and take \
     one pair of quotes away. What follows a # up to the end of the line is a comment.",
    "A value with spaces or one of ( ) \" ' = , stands in quotes of either sort. Inside them a backslash begins one of \
     \\\\ \\\" \\' \\/ \\n \\r \\t \\b \\f and \\xNN, a byte.",
    "Names of fields, calls, arguments, flags, errors and classes are checked before anything starts: all mistakes are \
     shown at once, each in its place and with a suggestion, and the exit status is 2. -d shows how a filter was understood, \
     what of it the kernel decides, and where it may mean something else than it seems to.",
];

/// Operators, and what they mean.
pub const OPERATORS: &[(&str, &str)] = &[
    ("=, ==, !=", "Equal, not equal. An address equals a network (10.0.0.0/8) that it lies in."),
    ("<, <=, >, >=", "By size; text byte by byte."),
    (
        "in (a, b), intersects (a, b)",
        "Equal to one of them. For numbers also ranges, both ends included: in (1..1024, 8080, 50000..). The two are the \
         same; sysdig uses the second for fields with several values.",
    ),
    ("contains, startswith, endswith", "Has the text in it, begins, ends with it."),
    ("icontains", "The same as contains for small and capital letters alike."),
    ("bcontains, bstartswith", "Has the bytes in it, begins with them; they are hexadecimal: 7f454c46."),
    (
        "glob, iglob",
        "All of the text fits a pattern: * is any run of bytes, / included, ? one byte, [a-z] and [!a-z] one of a set. \
         iglob takes small and capital letters alike.",
    ),
    (
        "regex",
        "All of the text fits a regular expression (that a part fits is written .*part.*). . is any byte, \\w, \\d, \\s and \
         (?i) are ASCII. There are no look-around and no back-references; the time that it takes grows with the text alone.",
    ),
    (
        "pmatch (/a, /b)",
        "The path is one of them or lies below one, component by component: /etc matches /etc and /etc/passwd and not \
         /etcetera. A component may be a pattern as for glob, which then does not go past a /: /home/*/.ssh.",
    ),
    (
        "has",
        "The flags of an argument are set: evt.arg.flags has O_CREAT. Of O_CREAT|O_EXCL all must be. Unlike contains it \
         knows that O_DSYNC is a part of O_SYNC.",
    ),
    ("exists", "There is a value."),
    (
        "OPERATOR anyof (a, b), allof, oneof",
        "At least one of the values, all of them, exactly one fits: proc.name contains anyof (ssh, scp). For =, !=, has and \
         all operators that look into text, but not in, intersects, pmatch.",
    ),
];

/// Values, by the type of the field.
pub const VALUES: &[(&str, &str)] = &[
    ("numbers", "17, -2, 0x11, 0o21 or 021."),
    ("durations", "10ms, 1.5s, 250us; units ns, us, ms, s, m, h. A bare number is nanoseconds."),
    ("sizes", "4096, 64k, 1.5M, 2GiB; the units are powers of 1024."),
    ("times", "2026-09-26T12:00:00Z, or nanoseconds since 1970."),
    ("ports", "443 or https; the names are built in and the same on every host."),
    ("addresses", "10.1.2.3, ::1; networks 10.0.0.0/8, fe80::/10."),
    ("calls, classes, errors, kinds of files", "By name; evt.res = EWOULDBLOCK is evt.res = EAGAIN."),
    (
        "arguments",
        "evt.arg.path, evt.arg[path] and evt.arg[0] are the text that is printed, strings and buffers without quotes; \
         evt.rawarg.count is the number. Where all values have names (flags, enumerations, signals), only names are taken.",
    ),
];

/// Transformers.
pub const TRANSFORMERS: &[(&str, &str)] = &[
    ("tolower(x), toupper(x)", "ASCII letters in small, in capitals."),
    ("basename(x)", "What follows the last slash."),
    ("len(x)", "Number of bytes."),
    ("b64(x)", "What base64 stands for; no value if it is none."),
    ("concat(x, y, ...)", "One after the other; texts in quotes and numbers may be among them."),
    ("join('sep', (x, y, ...))", "The same with a text between them."),
    (
        "val(x)",
        "The field itself. It and any other transformer may stand on the right: proc.name = val(proc.pname), \
         proc.name != basename(proc.exepath). Both sides must be text, or numbers of the same sort.",
    ),
];

/// What tests mean.
pub const MEANING: &[(&str, &str)] = &[
    (
        "Missing values",
        "An event does not have a value for every field: a call without a descriptor has no fd.name. Every test of what is \
         missing is false, != included. So not (fd.name = x) shows calls without a descriptor, and fd.name != x does not. \
         -d says where a filter hangs on this. Of two fields that are compared both must be there; what a transformer is \
         given must be there for its result to be.",
    ),
    (
        "Several values",
        "proc.aname without a number is every ancestor, fd.ip either address, evt.class every class. A test holds if it \
         holds for one of them; != holds if there is one and none is equal. allof may find each of its values in another one.",
    ),
    (
        "Bytes and text",
        "Everything is compared byte by byte, whatever it is encoded in; nothing is normalized. ? and [ ] in a pattern and . in a \
         regular expression stand for one byte, of which a letter outside of ASCII has several.",
    ),
    (
        "Case",
        "Small and capital letters differ, except for icontains, iglob and regex '(?i)...', which know those of ASCII. Names of \
         fields, calls, flags and words of the language are written as they are listed.",
    ),
    (
        "Truncation",
        "Of data only the first bytes are captured (-s), of paths and other strings 4095 bytes. A test sees what was captured: \
         contains may miss what lies behind it, endswith and = and len see its end as the end. evt.buflen is the true length.",
    ),
    (
        "Paths",
        "Paths are text as the process sees it; links are not followed. fs.path.name and fd.name are absolute where the directory \
         is known, evt.arg.path and the ...raw fields as they were given. startswith /etc also fits /etcetera; pmatch (/etc) \
         does not. * of glob goes past a slash, * of pmatch does not.",
    ),
    (
        "Limits",
        "A filter has at most 512 KiB, 128 levels of parentheses and tens of thousands of tests or values. A regular expression has at \
         most 1 MiB when compiled.",
    ),
    (
        "In the kernel",
        "The calls that can match are known from the filter; others are rejected in the kernel, except that those which \
         change processes, and descriptors if their names are asked for, leave a short record. So is what cannot match for its \
         process (proc.pid, proc.ppid, proc.apid), its user (user.uid), its result (evt.rawres, evt.res, evt.failed) or its \
         latency (evt.latency), where the whole filter says so: sysreel -d tells. So is what runs in a control group of the \
         unified hierarchy in which nothing can match (container.*, k8s.*, unit.name, cgroup.path; thus --container, --pod, \
         --unit), as soon as all is known of its container; until then, and in hierarchies of version 1, it passes and is \
         decided outside. A filter that asks evt.num or evt.deltatime \
         sees every event. Every other test is decided outside, and never differently live and from a file.",
    ),
    (
        "Threads and users",
        "user.uid and its like are those of the thread that made the call, as they are when it returns: setuid itself has the \
         new user. Of threads that were there before the capture those of the process are known.",
    ),
    (
        "Parents",
        "When a process ends, its children get another parent: the nearest ancestor that asked for it (PR_SET_CHILD_SUBREAPER), \
         or the first process of the pid namespace. proc.ppid is the parent at the time of the event, proc.aname and its like \
         go on from there, as ps and sysdig have it, and as a capture that began later would. What a process was started by \
         stands in the events of its start.",
    ),
    (
        "sysdig",
        "The language is that of sysdig. Different on purpose: has, ranges, units and comments are new; regex takes Perl's \
         classes too; unknown calls, errors, flags and kinds of files are mistakes; val() may compare fields of types that \
         are not identical, if both are text or both are plain numbers.",
    ),
];
