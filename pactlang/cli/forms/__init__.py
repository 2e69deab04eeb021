"""Reports in the forms that other programs read: GitHub's annotations, JUnit's XML, SARIF, a page of HTML.

In: `Opened` pacts (check), `Tested` ones (test), an `Outcome` (run).  Out: text or bytes.
"""
