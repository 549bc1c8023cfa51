// Keeps the table of media servers live: it comes as HTML over an event stream and is merged into the page.
import "./live.js";
import { morphHtml } from "./morph.js";
import { follow } from "./stream.js";

const servers = document.getElementById("media-servers");

follow(servers.dataset.stream, "media", (html) => morphHtml(servers, html.trim()));
