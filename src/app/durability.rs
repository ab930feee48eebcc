//! Whether the state outlives its container: without its state the bridge does not know what it has delivered.

use std::path::Path;

/// What will be lost, and what to do, where the state's folder lies in a container's own file system or on an
/// anonymous volume; `None` elsewhere.
pub fn warning(state: &Path) -> Option<String> {
    if !in_container() {
        return None;
    }
    let folder = state.parent()?.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    judge(&mounts, &folder)
}

fn in_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| Path::new(mark).exists())
}

/// `mounts` is the text of `/proc/self/mountinfo` (proc(5)): the fourth field is the part of the file system
/// that is mounted, the fifth where.
fn judge(mounts: &str, folder: &Path) -> Option<String> {
    let mount = mounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ').skip(3);
            Some((fields.next()?, fields.next()?))
        })
        .filter(|(_, place)| folder.starts_with(place))
        .max_by_key(|(_, place)| place.len())?;
    let what = match mount {
        (_, "/") => "in the container itself",
        (source, _) if is_anonymous(source) => "on an anonymous volume",
        _ => return None,
    };
    Some(format!(
        "the state in {} is {what} and is lost with the container: what was delivered, what is queued and what was \
         read before; mount a named volume there",
        folder.display()
    ))
}

/// Docker names a volume that nobody named by 64 hexadecimal digits.
fn is_anonymous(source: &str) -> bool {
    source.split('/').any(|part| part.len() == 64 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "1 0 0:50 / / ro,relatime - overlay overlay rw\n";

    #[test]
    fn only_a_named_volume_or_a_bind_mount_lasts() {
        let on = |source: &str| {
            format!(
                "{ROOT}2 1 8:1 {source} /data rw,relatime - ext4 /dev/vda rw\n3 1 0:5 / /proc rw - proc proc rw\n"
            )
        };
        let anonymous = format!("/var/lib/docker/volumes/{}/_data", "0a".repeat(32));
        let folder = Path::new("/data");
        assert!(judge(ROOT, folder).is_some_and(|text| text.contains("in the container itself")));
        assert!(judge(&on(&anonymous), folder).is_some_and(|text| text.contains("anonymous")));
        assert_eq!(judge(&on("/var/lib/docker/volumes/reviews/_data"), folder), None);
        assert_eq!(judge(&on("/srv/reviews"), Path::new("/data/deeper")), None);
        assert_eq!(judge("", folder), None);
    }
}
