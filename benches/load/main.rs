//! Processor seconds that a broker spends on a million delivered messages, ours beside Debian's mosquitto in the same run.
//!
//! ```text
//! cargo bench --bench load -- [--squall target/release/squall] [--mosquitto /usr/sbin/mosquitto] [--seconds 3] [--only 'p2p']
//! ```
//!
//! Each broker is started afresh for each workload, on a free port of 127.0.0.1, and ended after it. What counts is the run time
//! of the broker's threads as the kernel accounts it, divided by the messages that arrived: not how long it took, which depends on
//! this generator, nor what the machine does besides.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a generator that is wrong about its own buffers should stop; its table is for people"
)]

mod clients;
mod process;
mod wire;
mod workload;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser as _;

use crate::{
    process::Broker,
    workload::{Measured, WORKLOADS, Workload},
};

#[derive(clap::Parser)]
struct Args {
    /// Our broker
    #[arg(long, default_value = env!("CARGO_BIN_EXE_squall"))]
    squall: PathBuf,
    /// The broker to compare with; left out when it is not there
    #[arg(long, default_value = "/usr/sbin/mosquitto")]
    mosquitto: PathBuf,
    /// How long each workload publishes
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Only workloads whose name holds this
    #[arg(long, default_value = "")]
    only: String,
    /// Cargo says so
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    println!("processor seconds a million delivered messages of 64 bytes (messages a second in brackets)\n");
    println!("{:<12} {:>20} {:>20} {:>8}", "", "squall", "mosquitto", "ratio");
    let mut complete = true;
    for workload in WORKLOADS
        .iter()
        .filter(|workload| workload.name.contains(&args.only))
    {
        let measure = |broker: Broker| {
            let seconds = Duration::from_secs(args.seconds);
            runtime.block_on(workload.run(&broker, seconds))
        };
        let squall = measure(Broker::squall(&args.squall));
        let mosquitto = args
            .mosquitto
            .exists()
            .then(|| measure(Broker::mosquitto(&args.mosquitto)));
        complete &= squall.is_complete();
        print_row(workload, &squall, mosquitto.as_ref());
    }
    if complete {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn print_row(workload: &Workload, squall: &Measured, mosquitto: Option<&Measured>) {
    let ratio = mosquitto.map_or_else(String::new, |mosquitto| {
        format!("{:.3}", squall.cost() / mosquitto.cost())
    });
    let mosquitto = mosquitto.map_or_else(String::new, ToString::to_string);
    println!(
        "{:<12} {:>20} {mosquitto:>20} {ratio:>8}",
        workload.name,
        squall.to_string()
    );
}
