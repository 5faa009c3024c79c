#![cfg_attr(feature = "libfuzzer", no_main)]

pullpass_fuzz::fuzz!(azure_json);
