//! What `-u`, `--container`, `--pod`, `--unit` and, with `-r`, `--pid` say, in the language of filters: one language decides, live and from a file, and what
//! the kernel can reject it rejects.
//!
//! Enters: what was typed. Leaves: a filter's text, empty if they were not given. Never: a filter of the user's.

use std::path::Path;

use super::Typed;
use crate::message;
use crate::users::Users;

/// What makes a test of a name.
type Test = fn(&str) -> String;

/// The text.
pub(super) fn of(typed: &Typed) -> Result<String, String> {
    let proc = typed.proc.as_deref().unwrap_or(Path::new("/proc"));
    let mut parts = Vec::new();
    if !typed.users.is_empty() {
        let here = typed.read.is_none().then(|| Users::host(proc));
        parts.push(of_users(&typed.users, here.as_ref())?);
    }
    let lists: [(&[String], &str, Test); 3] = [
        (&typed.containers, "--container", of_container),
        (&typed.pods, "--pod", of_pod),
        (&typed.units, "--unit", of_unit),
    ];
    for (names, option, test) in lists {
        if let Some(bad) = names.iter().find(|n| n.is_empty() || n.chars().any(char::is_control)) {
            return Err(format!("{option}: `{}` is no name", message::name(bad)));
        }
        let tests: Vec<String> = names.iter().map(|name| test(name)).collect();
        parts.extend(Some(tests.join(" or ")).filter(|t| !t.is_empty()));
    }
    if typed.read.is_some() && !typed.pids.is_empty() {
        let ids: Vec<String> = typed.pids.iter().map(u32::to_string).collect();
        let ids = ids.join(", ");
        parts.push(format!("proc.pid in ({ids}) or proc.apid in ({ids})"));
    }
    Ok(match &parts[..] {
        [] => String::new(),
        [one] => one.clone(),
        _ => parts.iter().map(|p| format!("({p})")).collect::<Vec<_>>().join(" and "),
    })
}

/// A constant of a filter.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A container by its name or id, or the beginning of that.
fn of_container(name: &str) -> String {
    let text = quoted(name);
    let id = name.len() >= 4 && name.bytes().all(|b| b.is_ascii_hexdigit());
    let begins = if id { format!(" or container.full_id startswith {text}") } else { String::new() };
    format!("container.name = {text} or container.id = {text} or container.full_id = {text}{begins}")
}

/// A pod by its name, with or without its namespace.
fn of_pod(name: &str) -> String {
    match name.split_once('/') {
        Some((namespace, pod)) => {
            format!("(k8s.ns.name = {} and k8s.pod.name = {})", quoted(namespace), quoted(pod))
        }
        None => format!("k8s.pod.name = {}", quoted(name)),
    }
}

/// A unit; a service may be named without its kind, as for systemctl.
fn of_unit(name: &str) -> String {
    let kind = if name.contains('.') { "" } else { ".service" };
    format!("unit.name = {}", quoted(&format!("{name}{kind}")))
}

/// Users by name or number. Of a capture from elsewhere, names are its own; `here` are this host's.
fn of_users(typed: &[String], here: Option<&Users>) -> Result<String, String> {
    let (mut names, mut ids) = (Vec::new(), Vec::new());
    for name in typed {
        let number = || name.parse::<u32>().ok().filter(|n| *n != u32::MAX);
        let known = here.and_then(|users| users.by_name(name.as_bytes())).map(|u| u.uid);
        match known.or_else(number) {
            Some(id) => ids.push(id.to_string()),
            None if name.is_empty() => return Err("-u needs the name or number of a user".into()),
            None if here.is_some() => {
                return Err(format!("no user `{}` in /etc/passwd", message::name(name)));
            }
            None if name.chars().any(|c| c.is_control()) => {
                return Err(format!("`{}` is no name of a user", message::name(name)));
            }
            None => names.push(quoted(name)),
        }
    }
    let tests = [("user.uid", ids), ("user.name", names)].into_iter().filter(|(_, list)| !list.is_empty());
    Ok(tests
        .map(|(field, list)| format!("{field} in ({})", list.join(", ")))
        .collect::<Vec<_>>()
        .join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Bounds, Filter, both};
    use crate::schema::{Arch, Schema};

    #[test]
    fn options_are_filters() {
        let here =
            Users::parse(b"root:x:0:0::/:/bin/sh\nwww-data:x:33:33::/:/bin/sh\n7:x:1007:7::/:/bin/sh\n", b"");
        let text = |names: &[&str], here: Option<&Users>| {
            of_users(&names.iter().map(|n| n.to_string()).collect::<Vec<_>>(), here)
        };
        assert_eq!(text(&["root", "33", "7"], Some(&here)).as_deref(), Ok("user.uid in (0, 33, 1007)"));
        assert_eq!(
            text(&["nobody", "4"], None).as_deref(),
            Ok("user.uid in (4) or user.name in (\"nobody\")")
        );
        let unknown = text(&["no such\nuser"], Some(&here)).unwrap_err();
        assert_eq!(unknown, "no user `no such\\nuser` in /etc/passwd");
        assert!(text(&[""], Some(&here)).is_err() && text(&["a\nb"], None).is_err());

        let schema = Schema::native(Arch::X86_64);
        for name in ["www-data", "a\"b", "a\\b", "x) or (evt.num > 0", "$"] {
            let only = text(&[name], None).unwrap();
            let all = Filter::parse_within(&only, "evt.type = read # and nothing else", &schema);
            assert!(all.is_ok(), "{name}: {only}");
            assert_eq!(all.unwrap().uses().count(), 2, "{name}: one test of the user");
        }
        assert_eq!(both("a", ""), "a");
        assert_eq!(both("", "b"), "b");
        assert_eq!(both("a", "b # c"), "(a) and (b # c\n)");
    }

    #[test]
    fn where_it_runs_is_a_filter_too() {
        let names = |all: &[&str]| all.iter().map(|n| n.to_string()).collect::<Vec<_>>();
        let schema = Schema::native(Arch::X86_64);
        let typed = Typed {
            containers: names(&["web", "a1b2c3"]),
            pods: names(&["shop/web-1", "x\" or evt.num > 0 or \""]),
            units: names(&["ssh", "user@0.service"]),
            ..Typed::default()
        };
        let text = of(&typed).unwrap();
        insta::assert_snapshot!(text);
        let filter = Filter::parse(&text, &schema).unwrap();
        assert!(filter.uses().all(|f| ["container", "k8s", "unit"].iter().any(|c| f.name.starts_with(c))));
        assert_eq!(filter.bounds(), &Bounds { groups: true, ..Bounds::default() });
        for bad in ["", "a\nb"] {
            assert!(of(&Typed { pods: names(&[bad]), ..Typed::default() }).is_err());
        }
    }

    #[test]
    fn processes_of_a_capture_are_those_and_what_they_started() {
        let typed =
            Typed { read: Some("x".into()), pids: vec![4, 5], users: vec!["0".into()], ..Typed::default() };
        let text = of(&typed).unwrap();
        assert_eq!(text, "(user.uid in (0)) and (proc.pid in (4, 5) or proc.apid in (4, 5))");
        assert!(Filter::parse(&text, &Schema::native(Arch::X86_64)).is_ok());
        // Live they are scope, and no filter.
        assert_eq!(of(&Typed { read: None, users: vec![], ..typed }).unwrap(), "");
    }
}
