"""What the streams carry, as types: for the documentation, and for the forms that FastAPI encodes itself."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field


class Reading(BaseModel):
    """One reading of the gauge."""

    seq: int = Field(ge=0, description="Its number, from 0 on.")
    time: datetime = Field(description="When it was taken.")
    station: str
    level_m: float = Field(description="The river's height.")
    flow_m3s: float = Field(description="The discharge.")
    temperature_c: float = Field(description="The water's temperature.")
    note: str = Field(description="Fills the chunk to its size.")


class Done(BaseModel):
    """The end marker's content."""

    chunks: int = Field(ge=0, description="How many chunks came before it.")


class Failure(BaseModel):
    """The content of an error inside the stream, which is its last chunk."""

    message: str


class _OfReading(BaseModel):
    type: Literal["reading"] = "reading"


class _OfDone(BaseModel):
    type: Literal["done"] = "done"


class _OfFailure(BaseModel):
    type: Literal["error"] = "error"


# The fields of the last class come first: what reads a line knows at once what it has.
class TypedReading(Reading, _OfReading):
    """A reading, where its type stands inside it."""


class TypedDone(Done, _OfDone):
    """The end marker, where its type stands inside it."""


class TypedFailure(Failure, _OfFailure):
    """The error, where its type stands inside it."""


TypedItem = Annotated[TypedReading | TypedDone | TypedFailure, Field(discriminator="type")]
