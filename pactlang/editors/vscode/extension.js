// Starts `pactc lsp` for the pacts that are open, and stops it with the window.
"use strict";

const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

let client;

function newClient() {
  const [command, ...args] = vscode.workspace.getConfiguration("pact").get("command");
  return new LanguageClient(
    "pact",
    "Pact",
    { command, args, transport: TransportKind.stdio },
    { documentSelector: [{ language: "pact" }] }
  );
}

async function start() {
  client = newClient();
  try {
    await client.start();
  } catch (error) {
    const help = "Install it with `pip install 'pactlang[lsp]'`, or name it in the setting `pact.command`.";
    vscode.window.showErrorMessage(`Pact: the language server does not start: ${error.message}. ${help}`);
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running && running.isRunning()) {
    await running.stop();
  }
}

async function activate(context) {
  const restart = async () => {
    await stop();
    await start();
  };
  context.subscriptions.push(vscode.commands.registerCommand("pact.restart", restart));
  await start();
}

module.exports = { activate, deactivate: stop };
