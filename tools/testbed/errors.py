"""The one error of the test bed: callers skip loudly with its sentence, or fail where it must be there."""


class UnavailableError(Exception):
    """This machine cannot have the test bed now; the text is one sentence that says why and what to do."""
