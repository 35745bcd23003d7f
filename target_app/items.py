"""The content of the streams as types: for the documentation, and for the streams that FastAPI encodes."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field


class Reading(BaseModel):
    """One reading of the gauge."""

    seq: int = Field(ge=0, description="The reading's number, counted from 0.")
    time: datetime = Field(description="When the gauge was read.")
    station: str
    level_m: float = Field(description="The river's level in metres.")
    flow_m3s: float = Field(description="The discharge in cubic metres per second.")
    temperature_c: float = Field(description="The water's temperature in degrees Celsius.")
    note: str = Field(description="Fills the chunk to its size.")


class Done(BaseModel):
    """The content of the end marker."""

    chunks: int = Field(ge=0, description="How many chunks came before the end marker.")


class Failure(BaseModel):
    """The content of an error inside the stream, which is its last chunk."""

    message: str


class _OfReading(BaseModel):
    type: Literal["reading"] = "reading"


class _OfDone(BaseModel):
    type: Literal["done"] = "done"


class _OfFailure(BaseModel):
    type: Literal["error"] = "error"


# The fields of the last class come first, so that a reader finds the type at the beginning of a line.
class TypedReading(Reading, _OfReading):
    """A reading with its type."""


class TypedDone(Done, _OfDone):
    """The end marker with its type."""


class TypedFailure(Failure, _OfFailure):
    """An error with its type."""


TypedItem = Annotated[TypedReading | TypedDone | TypedFailure, Field(discriminator="type")]
