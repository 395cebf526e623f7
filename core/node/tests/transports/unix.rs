use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use squall_node::{
    UnixAcceptor,
    config::{Listener, Unix},
    tls::ClientTls,
};

use crate::harness::Served;

fn place(directory: &tempfile::TempDir) -> PathBuf {
    directory.path().join("squall.sock")
}

#[tokio::test]
async fn a_socket_that_a_dead_process_left_is_replaced() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = place(&directory);
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a free place"));
    assert!(path.exists(), "std leaves the file behind");

    let served = Served::at(&Listener::Unix(Unix { path, mode: None })).await;

    assert!(served.peer(&ClientTls::default()).await.is_served().await);
}

#[tokio::test]
async fn a_socket_at_which_somebody_listens_is_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let _first = UnixAcceptor::bind(&place(&directory), None)
        .await
        .expect("a free place");

    let error = UnixAcceptor::bind(&place(&directory), None)
        .await
        .expect_err("it is taken");

    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(place(&directory), "precious").expect("a file");

    let error = UnixAcceptor::bind(&place(&directory), None)
        .await
        .expect_err("a file");

    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(
        fs::read_to_string(place(&directory)).expect("it is there"),
        "precious"
    );
}

#[tokio::test]
async fn the_file_has_the_mode_asked_for_and_goes_with_the_listener() {
    let directory = tempfile::tempdir().expect("a directory");
    let acceptor = UnixAcceptor::bind(&place(&directory), Some(0o660))
        .await
        .expect("a free place");
    let mode = fs::metadata(place(&directory))
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o660);

    drop(acceptor);

    assert!(!place(&directory).exists());
}
