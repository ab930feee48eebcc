//! What the fuzzers' targets check, checked on every file that is kept for them: no fuzzer is needed.

#[path = "../../fuzz/src/lib.rs"]
mod fuzz;

use std::path::Path;

/// The kept inputs of `target`: examples to begin with, and whatever was once wrong.
fn kept(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let mut kept = Vec::new();
    for kind in ["seeds", "regressions"] {
        for entry in std::fs::read_dir(folder.join(kind).join(target)).into_iter().flatten() {
            let path = entry.unwrap().path();
            kept.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    kept
}

#[test]
fn every_kept_input_holds_what_its_target_checks() {
    let mut wrong = Vec::new();
    for (target, check) in fuzz::TARGETS {
        let kept = kept(target);
        assert!(!kept.is_empty(), "`{target}` has no seeds");
        for (path, contents) in kept {
            assert!(contents.len() <= 4096, "{path} is too large to be kept");
            if std::panic::catch_unwind(|| check(&contents)).is_err() {
                wrong.push(path);
            }
        }
    }
    assert!(wrong.is_empty(), "what is wrong with them stands above: {wrong:#?}");
}
