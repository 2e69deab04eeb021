"""What colours a pact in an editor or on a page: the Pygments lexer, the TextMate grammar for VS Code.

In: the words of `grammar/pact.lark`.  Out: both, from the one table of rules in `rules`.  What only a
parser can know (is this `limit` a word of the language or a field?) the language server says.
"""
