//! Properties that hold for any text: identity, there and back, nothing outside the spans.

use proptest::prelude::*;

use super::*;

const FORMATS: [Format; 5] = [Format::Env, Format::Properties, Format::Yaml, Format::Json, Format::Toml];

/// A file of the format with these keys' values, amid comments and blank lines.
fn file(format: Format, values: &[String], noise: &str, ending: &str, last: bool) -> String {
    let json = |v: &str| serde_json::to_string(v).expect("a string is JSON");
    let lines: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(i, v)| match format {
            Format::Env => format!("# {noise}{ending}KEY{i}={v}"),
            Format::Properties => format!("! {noise}{ending}key.{i} = {v}"),
            Format::Yaml if i % 3 == 0 => {
                format!("# {noise}{ending}key{i}:{ending}  inner: '{}' # {noise}", v.replace('\'', "''"))
            }
            Format::Yaml => format!("key{i}: {} # {noise}", json(v)),
            Format::Json => format!("  // {noise}{ending}  \"key{i}\": {},", json(v)),
            Format::Toml => format!("key{i} = {} # {noise}", json(v)),
        })
        .collect();
    let body = lines.join(ending);
    let body = if format == Format::Json { format!("{{{ending}{body}{ending}}}") } else { body };
    if last { format!("{body}{ending}") } else { body }
}

fn edit_of((found, new): &(Found, String)) -> (&Found, &str) {
    (found, new)
}

proptest! {
    #[test]
    fn any_edit_comes_back_and_leaves_the_rest(
        format in prop::sample::select(FORMATS.to_vec()),
        values_in in prop::collection::vec("[a-zA-Z][a-zA-Z0-9:/.@_-]{0,12}", 1..6),
        new in "[a-z][ -~]{0,14}[a-z]|[가-힣]{1,5}|[a-z]{1,8}",
        noise in "[a-zA-Z0-9 가-힣=:'\"{}-]{0,12}",
        crlf: bool, last: bool, mark: bool, pick: prop::sample::Index,
    ) {
        let text = file(format, &values_in, &noise, if crlf { "\r\n" } else { "\n" }, last);
        let text = if mark { format!("\u{feff}{text}") } else { text };
        let all = values(&text, format).unwrap();
        prop_assert_eq!(all.iter().map(|f| f.value.clone()).collect::<Vec<_>>(), values_in);

        let same: Vec<_> = all.iter().map(|f| (f.clone(), f.value.clone())).collect();
        prop_assert_eq!(&edit_found(&text, format, &same.iter().map(edit_of).collect::<Vec<_>>()).unwrap(), &text);

        let found = pick.get(&all);
        let Ok(changed) = edit_found(&text, format, &[(found, &new)]) else {
            // only the bare .env form has values it cannot say
            prop_assert_eq!(format, Format::Env);
            return Ok(());
        };
        prop_assert_eq!(&changed[..found.span.start], &text[..found.span.start]);
        prop_assert!(changed.ends_with(&text[found.span.end..]));
        let again = values(&changed, format).unwrap();
        let at = all.iter().position(|f| f.path == found.path).unwrap();
        prop_assert_eq!(&again[at].value, &new);
        let back = edit_found(&changed, format, &[(&again[at], &found.value)]).unwrap();
        let restored = values(&back, format).unwrap();
        prop_assert!(restored.iter().zip(&all).all(|(a, b)| a.value == b.value && a.path == b.path));
        let requoted = matches!(format, Format::Env) && back.len() == text.len() + 2;
        prop_assert!(back == text || requoted, "{:?} {:?}", back, text);
    }

    #[test]
    fn no_text_makes_a_scanner_panic(text in "[ -~\r\n\t가é\u{feff}]{0,60}|([a-c]|[:=#'\"\\\\|>\\[\\]{},\n\r -]){0,30}") {
        for format in FORMATS {
            if let Ok(all) = values(&text, format) {
                for found in &all {
                    if let Ok(out) = edit_found(&text, format, &[(found, "x")]) {
                        prop_assert!(out.starts_with(&text[..found.span.start]));
                        prop_assert!(out.ends_with(&text[found.span.end..]));
                    }
                }
            }
        }
    }
}
