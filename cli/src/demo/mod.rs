use crate::exit::Exit;
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}
#[derive(Debug, clap::Args)]
pub(crate) struct WorkerArgs {}
pub(crate) fn run(_: &Args) -> anyhow::Result<Exit> {
    Ok(Exit::Complete)
}
pub(crate) fn run_worker(_: &WorkerArgs) -> anyhow::Result<Exit> {
    Ok(Exit::Complete)
}
