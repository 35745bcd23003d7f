"""``/healthz`` and ``/readyz``: whether the app serves, and whether it wants new streams."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from target_app.guard.gate import Gate

router = APIRouter(tags=["service"])


class Health(BaseModel):
    """The app serves."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether a load balancer should send new streams here, and why not."""

    status: Literal["ready", "draining", "full"]


@router.get("/healthz", summary="Whether the app serves")
async def healthz() -> Health:
    """Answers as long as the event loop does."""
    return Health()


@router.get(
    "/readyz",
    summary="Whether the app takes new streams",
    responses={503: {"model": Readiness, "description": "It is ending, or has as many streams as it may have."}},
)
async def readyz(request: Request, response: Response) -> Readiness:
    """No longer ready from the moment that it is told to end, while its streams still run."""
    gate: Gate = request.app.state.gate
    closed = gate.closed()
    if closed is None:
        return Readiness(status="ready")
    response.status_code = closed.status
    return Readiness(status="draining" if gate.draining else "full")
