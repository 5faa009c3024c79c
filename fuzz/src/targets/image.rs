//! The image in a request.

use pullpass::Image;

use crate::run;

pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let image = match Image::parse(text) {
        Ok(image) => image,
        Err(error) => return run::check_error(&error),
    };
    assert_eq!(image.as_str(), text);
    assert!(image.is_on(image.registry()) && image.is_under(image.registry()));
    assert!(image.is_under(text) || text.ends_with('/'), "{text}");
    assert!(image.registry().to_ascii_lowercase().starts_with(image.host()), "{text}");
    match image.port() {
        Some(port) => assert!(image.registry().ends_with(&port.to_string()), "{text}"),
        None => assert_eq!(image.registry().len(), image.host().len(), "{text}"),
    }
}
