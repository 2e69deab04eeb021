"""`pactc lsp`: what an editor asks about a pact while it is written.

In: texts as they change, places in them.  Out: answers of the Language Server Protocol, as JSON data.

`lines` counts places as editors do; `segments` cuts a text into declarations, each parsed once for as long
as it stays the same; `facts` says which names stand in one; `document` puts them together; `knowledge` types
the one expression that is asked about.  `hover`, `complete`, `navigate`, `outline`, `colours` and `findings`
answer; `server` alone knows pygls.  The whole pact is checked in the background (`findings`): no answer
waits for it.
"""
