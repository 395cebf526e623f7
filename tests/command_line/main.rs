//! The built program, used as people use it: what it prints, where, and what it ends with.

#[cfg(test)]
mod broker;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod conform;
#[cfg(test)]
mod durable;
#[cfg(test)]
mod every_command;
#[cfg(test)]
mod frame;
#[cfg(test)]
mod passwd;
#[cfg(test)]
mod program;
#[cfg(test)]
mod report;
#[cfg(test)]
mod run;
#[cfg(test)]
mod store;
#[cfg(test)]
mod sweep;
#[cfg(test)]
mod target;
#[cfg(test)]
mod trace;
