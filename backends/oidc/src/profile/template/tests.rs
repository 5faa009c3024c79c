use super::*;

fn scope() -> Scope {
    Scope {
        constants: [("host".to_owned(), "art.example".to_owned())].into(),
        names: [("robot".to_owned(), Sensitivity::Public), ("key".to_owned(), Sensitivity::Secret)]
            .into(),
        ..Scope::default()
    }
}

#[test]
fn names_stand_where_their_sensitivity_allows() {
    for (text, position, expected) in [
        ("plain $ {x} $", Position::Url, Ok("plain $ {x} $")),
        ("$${robot}", Position::Url, Ok("$${robot}")),
        ("${sa.subject}", Position::User, Err("contains `:`")),
        ("a-${host}-b", Position::Header, Ok("a-art.example-b")),
        ("x${robot}y", Position::Url, Ok("x${robot}y")),
        ("${sa.token}", Position::Body, Ok("${sa.token}")),
        ("${sa.token}", Position::Url, Err("is a secret")),
        ("${sa.token}", Position::User, Err("is a secret")),
        ("${key}", Position::Url, Err("is a secret")),
        ("${key}", Position::Header, Ok("${key}")),
        ("${robot}", Position::Header, Err("is not allowed in a header")),
        ("${sa.namespace}", Position::Secret, Err("is not allowed")),
        ("${other}", Position::Body, Err("not known")),
        ("${robot", Position::Body, Err("not closed")),
        ("${a b}", Position::Body, Err("has letters")),
        ("${}", Position::Body, Err("has letters")),
        ("${${robot}}", Position::Body, Err("has letters")),
    ] {
        let compiled = Template::parse(text).and_then(|it| it.compile(position, &scope()));
        match (compiled, expected) {
            (Ok(template), Ok(expected)) => {
                assert_eq!(template.to_string(), expected, "{text}");
            }
            (Err(error), Err(expected)) => assert!(error.contains(expected), "{text}: {error}"),
            (found, _) => panic!("{text}: {found:?}"),
        }
    }
}

#[test]
fn a_constant_text_takes_constants_alone() {
    let constant = |text: &str| Template::parse(text).unwrap().constant(&scope());
    assert_eq!(constant("https://${host}/").unwrap(), "https://art.example/");
    assert!(constant("${robot}").unwrap_err().contains("must have a fixed value"));
}

#[test]
fn only_what_is_written_out_is_cut() {
    let pieces = |text: &str| -> Vec<String> {
        Template::parse(text).unwrap().split('/').iter().map(Template::to_string).collect()
    };
    assert_eq!(pieces("a/b${x}c//${y}/"), ["a", "b${x}c", "", "${y}", ""]);
    assert_eq!(pieces(""), [""]);
    let (first, rest) = Template::parse("a=${x}=b").unwrap().split_once('=');
    assert_eq!((first.to_string(), rest.unwrap().to_string()), ("a".into(), "${x}=b".into()));
    assert_eq!(Template::parse("a").unwrap().split_once('=').1, None);
}
