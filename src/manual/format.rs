//! sysreel-reel(5): the document that specifies the reel, as a manual page.
//!
//! Enters: `src/reel/format.md`, which is also the documentation of [`crate::reel`]. Leaves: roff with tables for tbl.
//! Never: a word about the format that is not in that document; and of Markdown only what it uses: headings, paragraphs,
//! lists with `-`, tables, `code` and *emphasis*.

const FORMAT: &str = include_str!("../reel/format.md");

const BEGIN: &str = r#".SH NAME
sysreel\-reel \- the capture file of sysreel
.SH DESCRIPTION
A reel is what
.B sysreel \-w
writes and
.B sysreel \-r
reads: events, and the names of all that they mention. It is made of checked, compressed blocks that stand alone, so that
damage costs one block; each has columns, so that a question reads only what it is about. It can be read from a pipe.
.PP
This page is all that is needed to write a reader.
"#;

const END: &str = "\
.SH SEE ALSO
.BR sysreel (1)
";

/// A screen has no pages, and a table must not be taken to run over the end of one.
const PAGELESS: &str = ".if n .pl 30000v\n";

/// The page.
pub fn page(version: &str) -> String {
    let mut out = format!(
        "'\\\" t\n.TH sysreel\\-reel 5 \"\" \"{version}\" \"System call capture\"\n{PAGELESS}{BEGIN}"
    );
    let mut lines = FORMAT.lines().peekable();
    // A paragraph mark is due before text, unless a heading has just been.
    let mut fresh = true;
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        if let Some(title) = line.strip_prefix("## ") {
            out += &format!(".SS {}\n", inline(title));
            fresh = true;
            continue;
        }
        if let Some(title) = line.strip_prefix("# ") {
            out += &format!(".SH {}\n", inline(title).to_uppercase());
            fresh = true;
            continue;
        }
        let mut block = vec![line];
        while let Some(more) = lines.next_if(|l| !l.is_empty()) {
            block.push(more);
        }
        if line.starts_with('|') {
            table(&mut out, &block);
            fresh = false;
        } else if line.starts_with("- ") {
            for line in block {
                match line.strip_prefix("- ") {
                    Some(item) => out += &format!(".IP \\(bu 2\n{}\n", text(item)),
                    None => out += &format!("{}\n", text(line.trim_start())),
                }
            }
            fresh = false;
        } else {
            if !std::mem::take(&mut fresh) {
                out.push_str(".PP\n");
            }
            // Emphasis may begin on one line and end on the next.
            out += &text(&block.join("\n"));
            out.push('\n');
        }
    }
    out + END
}

/// Cells longer than this are broken into lines.
const WIDE: usize = 24;

/// A table of Markdown: a row of titles, a row that says how columns are aligned, rows.
fn table(out: &mut String, lines: &[&str]) {
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let rows: Vec<Vec<String>> =
        lines.iter().enumerate().filter(|(i, _)| *i != 1).map(|(_, line)| cells(line)).collect();
    let right: Vec<bool> =
        lines.get(1).map(|line| cells(line).iter().map(|c| c.ends_with(':')).collect()).unwrap_or_default();
    let wide: Vec<bool> = (0..right.len())
        .map(|column| rows.iter().filter_map(|r| r.get(column)).any(|c| c.replace('`', "").len() > WIDE))
        .collect();
    let column = |(right, wide): (&bool, &bool)| match (right, wide) {
        (_, true) => "lx",
        (true, false) => "r",
        (false, false) => "l",
    };
    let columns: Vec<&str> = right.iter().zip(&wide).map(column).collect();
    let title: Vec<String> = columns.iter().map(|c| format!("{c}b")).collect();
    *out += &format!(".PP\n.TS\nnospaces tab(|);\n{}\n{}.\n", title.join(" "), columns.join(" "));
    for row in &rows {
        let cells = row.iter().zip(&wide).map(|(cell, wide)| match (wide, cell.is_empty()) {
            (true, false) => format!("T{{\n.ad l\n{}\nT}}", text(cell)),
            _ => inline(cell),
        });
        *out += &cells.collect::<Vec<_>>().join("|");
        out.push('\n');
    }
    out.push_str(".TE\n");
}

/// Running text: no line may begin like a request.
fn text(text: &str) -> String {
    let lines = inline(text);
    let safe =
        |line: &str| if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_owned() };
    lines.split('\n').map(safe).collect::<Vec<_>>().join("\n")
}

/// Escapes, code in bold, emphasis in italics.
fn inline(text: &str) -> String {
    let (mut out, mut code, mut emphasis, mut before) = (String::new(), false, false, ' ');
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let after = rest.peek().copied().unwrap_or(' ');
        match c {
            '`' => {
                code = !code;
                out.push_str(if code { "\\fB" } else { "\\fR" });
            }
            '*' if !code && (emphasis && !before.is_whitespace() || !emphasis && !after.is_whitespace()) => {
                emphasis = !emphasis;
                out.push_str(if emphasis { "\\fI" } else { "\\fR" });
            }
            '\\' => out.push_str("\\e"),
            '^' => out.push_str("\\(ha"),
            '~' => out.push_str("\\(ti"),
            // A minus in code is one; elsewhere it is a hyphen, or stands before a number.
            '-' if code || after.is_ascii_digit() && before == ' ' => out.push_str("\\-"),
            _ => out.push(c),
        }
        before = c;
    }
    out
}
