//! The engine over real steps, real journal lines and a world in memory: every place where a process can die, and what
//! a person at the lever can do.

mod crash;
mod lag;
mod lever;
mod life;
mod sim;
mod stages;
