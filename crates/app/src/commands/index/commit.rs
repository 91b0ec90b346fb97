//! Commits under a progress bar, which Ctrl-C stops.

use std::io;

use fastlane::{CollectionError, CollectionWriter, Progress as Step};
use fastlane_engine::{WriteIndexError, Writer};

use crate::interrupt;
use crate::printer::Printer;
use crate::progress::{Progress, Unit};

fn bar(printer: &Printer) -> Progress {
    Progress::new("building lists", None, Unit::Things("views"), printer.settings())
}

/// Commits an index of views; returns how many views were assigned to lists.
pub(in crate::commands) fn commit(
    writer: &mut Writer,
    printer: &Printer,
    end: impl FnOnce(&mut Writer, &mut dyn FnMut(u64) -> io::Result<()>) -> Result<u64, WriteIndexError>,
) -> anyhow::Result<u64> {
    let (bar, mut views) = (bar(printer), 0);
    let ended = end(writer, &mut |count| {
        views += count;
        bar.set(views);
        interrupt::check().map_err(io::Error::other)
    });
    // the writer's error would say that it cannot write
    interrupt::check().or_else(|asked| if ended.is_ok() { Ok(()) } else { Err(asked) })?;
    ended?;
    Ok(views)
}

/// Commits a collection.
pub(in crate::commands) fn commit_documents(
    writer: &mut CollectionWriter,
    printer: &Printer,
    end: fn(&mut CollectionWriter) -> Result<u64, CollectionError>,
) -> anyhow::Result<()> {
    let bar = bar(printer);
    writer.on_progress(move |step| {
        if let Step::Views(views) = step {
            bar.set(views);
        }
        interrupt::check().is_ok()
    });
    let ended = end(writer);
    // the function owns the bar, which is dropped at its end
    writer.on_progress(|_| true);
    match ended {
        Err(CollectionError::Stopped) => Ok(interrupt::check()?),
        ended => Ok(ended.map(drop)?),
    }
}
