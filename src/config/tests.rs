//! Sizes, times, colours, and files that must not be written.

use super::*;

#[test]
fn sizes() {
    let good =
        [("1", 1), ("4096", 4096), ("512k", 512 << 10), ("64M", 64 << 20), ("2g", 2 << 30), ("1G", 1 << 30)];
    for (text, bytes) in good {
        assert_eq!(size("--ring", text), Ok(bytes), "{text}");
    }
    for text in
        ["", "0", "0k", "k", "-1", "+1", "1.5m", "1mb", "m1", " 1", "99999999999999999999", "99999999999g"]
    {
        assert!(size("--ring", text).is_err(), "{text}");
    }
}

#[test]
fn colour_policy() {
    let os = |s: &str| Some(OsString::from(s));
    let plain = Surroundings::default();
    let with = |change: &dyn Fn(&mut Surroundings)| {
        let mut around = Surroundings { term: os("xterm"), ..plain.clone() };
        change(&mut around);
        around
    };
    let none = with(&|_| {});
    assert!(none.colour(When::Auto, true));
    assert!(!none.colour(When::Auto, false));
    assert!(none.colour(When::Always, false));
    assert!(!none.colour(When::Never, true));

    let no = with(&|s| s.no_color = os("1"));
    assert!(!no.colour(When::Auto, true));
    assert!(no.colour(When::Always, false), "the option beats NO_COLOR");
    assert!(!with(&|s| s.no_color = os("0")).colour(When::Auto, true), "any text counts");
    assert!(with(&|s| s.no_color = os("")).colour(When::Auto, true), "an empty NO_COLOR is none");

    let forced = with(&|s| s.clicolor_force = os("1"));
    assert!(forced.colour(When::Auto, false));
    assert!(!forced.colour(When::Never, true));
    assert!(with(&|s| s.force_color = os("3")).colour(When::Auto, false));
    assert!(!with(&|s| s.force_color = os("0")).colour(When::Auto, false));
    let both = with(&|s| (s.no_color, s.force_color) = (os("1"), os("1")));
    assert!(!both.colour(When::Auto, true), "NO_COLOR beats FORCE_COLOR");

    let dumb = with(&|s| s.term = os("dumb"));
    assert!(!dumb.colour(When::Auto, true));
    let dumb_forced = with(&|s| (s.term, s.clicolor_force) = (os("dumb"), os("1")));
    assert!(dumb_forced.colour(When::Auto, true));
    assert!(plain.colour(When::Auto, true), "without TERM the terminal decides");
}

#[test]
fn a_capture_is_not_rewritten_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    std::fs::write(&a, "x").unwrap();
    std::fs::hard_link(&a, &b).unwrap();
    let typed = |to: &Path| Typed {
        read: Some(a.clone().into()),
        write: Some(to.into()),
        force: true,
        ..Typed::default()
    };
    let around = Surroundings::default();
    assert!(Config::resolve(typed(&b), &around).is_err());
    assert!(Config::resolve(typed(&dir.path().join("c")), &around).is_ok());
}

#[test]
fn templates_with_a_name_are_templates() {
    for name in ["c", "container", "k", "kubernetes"] {
        let typed = Typed { print: Some(name.into()), ..Typed::default() };
        let config = Config::resolve(typed, &Surroundings::default()).unwrap();
        let Sink::Print { form: Form::Template(text), .. } = config.sink else { panic!("{name}") };
        assert!(text.contains("%container.id"), "{name}: {text}");
        assert!(crate::output::Template::parse(&text).is_ok(), "{name}: {text}");
    }
}

#[test]
fn tags_are_keys_and_values() {
    let tags = |all: &[&str]| {
        let tags = all.iter().map(|t| t.to_string()).collect();
        let config = Config::resolve(Typed { tags, ..Typed::default() }, &Surroundings::default())?;
        let Source::Live(live) = config.source else { panic!("it is live") };
        Ok::<_, String>(live.tags)
    };
    assert_eq!(tags(&["team=blue", "a.b/c=x=y", "e="]).unwrap(), ["0:team=blue", "0:a.b/c=x=y", "0:e="]);
    for bad in ["team", "=x", "a b=c", "a]=c", "a=\x1b[1m", ""] {
        assert!(tags(&[bad]).unwrap_err().starts_with("--tag needs KEY=VALUE"), "{bad}");
    }
    let typed = Typed { read: Some("x".into()), tags: vec!["a=b".into()], ..Typed::default() };
    assert!(Config::resolve(typed, &Surroundings::default()).is_err());
}
