//! `fastlane mcp`: serves an index to agents over the Model Context Protocol, on stdin and stdout.

use anyhow::Context as _;
use fastlane::{Collection, Filter, Fusion, Hit, Search};
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, ServiceExt as _, schemars, tool, tool_handler, tool_router};
use serde::{Deserialize, Serialize};

use super::search::open;
use crate::args::McpArgs;
use crate::printer::Printer;

/// The default number of documents of a search.
const FOUND: usize = 10;
/// The largest number of documents of a search.
const MOST: usize = 100;

pub(crate) fn run(args: &McpArgs, printer: &Printer) -> anyhow::Result<()> {
    let collection = open((&args.index, args.model.as_deref()), args.threads, printer)?;
    let documents = collection.stats().views.documents;
    printer.note(&format!("serving {documents} documents over MCP on standard input and output"));
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
    /// Return only documents whose metadata matches: `lang = en and year > 2020`.
    filter: Option<String>,
}

/// The arguments of `fetch`.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct Fetch {
    /// The id of the document, from a search result.
    id: String,
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
    /// The passage around the matching token.
    text: String,
    score: f32,
    metadata: fastlane::Metadata,
}

/// A whole document.
#[derive(Debug, Serialize)]
struct WholeDocument {
    id: String,
    title: String,
    text: String,
    metadata: fastlane::Metadata,
}

#[tool_router]
impl Tools {
    /// Finds passages that answer a question, best first.
    #[tool(description = "Search the documents of this index by meaning and by keywords. Returns \
                          the best passages with the ids of their documents; read a whole \
                          document with `fetch`.")]
    fn search(&self, Parameters(wanted): Parameters<SearchFor>) -> Result<String, String> {
        let filter = wanted.filter.as_deref().map(str::parse::<Filter>).transpose();
        let filter = filter.map_err(|error| format!("the filter cannot be read: {error}"))?;
        let k = wanted.limit.unwrap_or(FOUND).clamp(1, MOST);
        let search = Search::text(wanted.query).k(k).filter(filter).fusion(Fusion::Ranks);
        self.collection.refresh().map_err(|error| error.to_string())?;
        let found = self.collection.search(&search).map_err(|error| error.to_string())?;
        let passage = |hit: Hit| Passage {
            id: hit.document.id,
            title: hit.document.title,
            text: hit.snippet.into_iter().map(|piece| piece.text).collect(),
            score: hit.score,
            metadata: hit.document.metadata,
        };
        json(&Results { results: found.hits.into_iter().map(passage).collect() })
    }

    /// Reads a document.
    #[tool(description = "Read a whole document by its id.")]
    fn fetch(&self, Parameters(Fetch { id }): Parameters<Fetch>) -> Result<String, String> {
        self.collection.refresh().map_err(|error| error.to_string())?;
        let found = self.collection.document(&id).map_err(|error| error.to_string())?;
        let document = found.ok_or_else(|| format!("there is no document `{id}`"))?;
        let fastlane::Document { id, title, text, metadata } = document;
        json(&WholeDocument { id, title, text, metadata })
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
