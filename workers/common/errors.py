"""What a worker refuses, or could not do."""


class RequestError(Exception):
    """A job that fails: `code` is for a program, `message` for a person.

    The message names a field, a limit, what was found and the way out. It never holds what the field held: messages
    are logged by others, and kept for months.
    """

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code
        self.message = message

    def reply(self) -> dict:
        """What the handler returns, so that the SDK reports the job as FAILED."""
        return {"error": {"code": self.code, "message": self.message}}


class StartError(Exception):
    """Why a worker cannot start: a setting or a model folder that is not right."""
