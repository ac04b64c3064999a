//! Scripts against services that are no friends of root's: what their users may write root does not run.

use super::tests::greeter;
use super::*;

fn text_of(service: &Service, target: Target, name: &str) -> String {
    let files = written(service, target, Level::System).expect("it can be said").files;
    files.into_iter().find(|file| file.path.ends_with(name)).expect("it is written").text
}

#[test]
fn no_log_is_kept_by_root_where_a_user_may_write() {
    let service = greeter();
    let text = text_of(&service, Target::Runit, "/log/run");
    let folder = text.lines().find_map(|line| line.strip_prefix("exec svlogd -tt ")).expect("it logs");
    let theirs = service.environs.directories.iter().filter(|directory| directory.owner.is_some());
    let theirs: Vec<&str> = theirs.map(|directory| directory.path.as_str()).collect();
    assert!(theirs.contains(&"/var/log/greeter"), "{theirs:?}");
    assert!(!theirs.iter().any(|path| folder.starts_with(path)), "{folder} is below one of {theirs:?}");
}
