//! `fastlane mcp`: serves an index to agents over the Model Context Protocol, on stdin and stdout.

use anyhow::Context as _;
use fastlane::{Collection, Filter, Fusion, Hit, Search};
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, ServiceExt as _, schemars, tool, tool_handler, tool_router};
use serde::{Deserialize, Serialize};

use super::search::{open, show};
use crate::args::McpArgs;
use crate::printer::Printer;

/// The default number of documents of a search.
const FOUND: usize = 10;
/// The largest number of documents of a search.
const MOST: usize = 100;
/// The most passages before and after one that is read.
const REACH: usize = 20;

pub(crate) fn run(args: &McpArgs, printer: &Printer) -> anyhow::Result<()> {
    let collection = open((&args.index, args.model.as_deref()), args.threads, printer)?;
    let all = show::counted(&collection.stats());
    printer.note(&format!("serving {all} over MCP on standard input and output"));
    let runtime = tokio::runtime::Runtime::new().context("cannot start threads")?;
    let tools = Tools { collection };
    runtime.block_on(async {
        let service = tools.serve(rmcp::transport::stdio()).await;
        let service = service.context("no MCP client on standard input")?;
        service.waiting().await.context("the MCP session failed")?;
        Ok(())
    })
}

/// The tools of the agent.
#[derive(Clone)]
struct Tools {
    collection: Collection,
}

/// The arguments of `search`.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct SearchFor {
    /// The query, in natural language.
    query: String,
    /// Number of documents to return: default 10, at most 100.
    limit: Option<usize>,
    /// Return each document once, by its best passage: default false.
    group: Option<bool>,
    /// Return only documents whose metadata matches: `lang = en and year > 2020`.
    filter: Option<String>,
}

/// The arguments of `fetch`.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct Fetch {
    /// The id of the document, from a search result.
    id: String,
    /// The number of a passage, from a search result, to read it with the passages around it instead
    /// of the whole document.
    passage: Option<usize>,
    /// How many passages to read before and after that one: default 1, at most 20.
    context: Option<usize>,
}

/// The result of a search.
#[derive(Debug, Serialize)]
struct Results {
    results: Vec<Passage>,
}

/// A document that was found.
#[derive(Debug, Serialize)]
struct Passage {
    id: String,
    title: String,
    /// The text of the passage.
    text: String,
    /// Which part of the document it is.
    passage: fastlane::Passage,
    score: f32,
    metadata: fastlane::Metadata,
}

/// A document, or a part of it.
#[derive(Debug, Serialize)]
struct ReadDocument {
    id: String,
    title: String,
    text: String,
    metadata: fastlane::Metadata,
}

#[tool_router]
impl Tools {
    /// Finds passages that answer a question, best first.
    #[tool(
        description = "Search the documents of this index by meaning and by keywords. Returns the \
                       best passages with the ids of their documents, the headings above them and \
                       their places; read a whole document, or more of it, with `fetch`.",
        annotations(read_only_hint = true)
    )]
    fn search(&self, Parameters(wanted): Parameters<SearchFor>) -> Result<String, String> {
        let filter = wanted.filter.as_deref().map(str::parse::<Filter>).transpose();
        let filter = filter.map_err(|error| format!("the filter cannot be read: {error}"))?;
        let k = wanted.limit.unwrap_or(FOUND).clamp(1, MOST);
        let search = Search::text(wanted.query).k(k).filter(filter).fusion(Fusion::Ranks);
        let search = search.group(wanted.group.unwrap_or_default());
        self.collection.refresh().map_err(|error| error.to_string())?;
        let found = self.collection.search(&search).map_err(|error| error.to_string())?;
        let passage = |hit: Hit| Passage {
            id: hit.document.id,
            title: hit.document.title,
            text: hit.document.text,
            passage: hit.passage,
            score: hit.score,
            metadata: hit.document.metadata,
        };
        json(&Results { results: found.hits.into_iter().map(passage).collect() })
    }

    /// Reads a document, or a passage with its neighbours.
    #[tool(
        description = "Read a whole document by its id, or a passage of it with the passages \
                       around it.",
        annotations(read_only_hint = true)
    )]
    fn fetch(&self, Parameters(wanted): Parameters<Fetch>) -> Result<String, String> {
        let Fetch { id, passage, context } = wanted;
        let reach = context.unwrap_or(1).min(REACH);
        self.collection.refresh().map_err(|error| error.to_string())?;
        let found = match passage {
            None => self.collection.document(&id),
            Some(number) => self.collection.passage(&id, number, reach),
        };
        let absent = || match passage {
            None => format!("there is no document `{id}`"),
            Some(number) => format!("there is no passage {number} of a document `{id}`"),
        };
        let document = found.map_err(|error| error.to_string())?.ok_or_else(absent)?;
        let fastlane::Document { id, title, text, metadata, .. } = document;
        json(&ReadDocument { id, title, text, metadata })
    }
}

#[tool_handler]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("fastlane", env!("CARGO_PKG_VERSION")))
            .with_instructions("Search the documents of an index, and read them.")
    }
}

fn json(value: &impl Serialize) -> Result<String, String> {
    serde_json::to_string_pretty(value).map_err(|error| error.to_string())
}
