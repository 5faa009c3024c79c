#![cfg_attr(feature = "libfuzzer", no_main)]

pullpass_fuzz::fuzz!(image_name);
