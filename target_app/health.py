"""``/healthz`` and ``/readyz``: whether the app serves, and whether it accepts new streams."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from target_app.guard.admission import AdmissionControl

router = APIRouter(tags=["service"])


class Health(BaseModel):
    """The app serves."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether a load balancer should send new streams here, else the reason."""

    status: Literal["ready", "draining", "full"]


@router.get("/healthz", summary="Whether the app serves")
async def healthz() -> Health:
    """Answers while the event loop runs."""
    return Health()


@router.get(
    "/readyz",
    summary="Whether the app accepts new streams",
    responses={503: {"model": Readiness, "description": "It is shutting down, or has reached its limit of streams."}},
)
async def readyz(request: Request, response: Response) -> Readiness:
    """Not ready from the shutdown signal on, while its streams still run."""
    admission: AdmissionControl = request.app.state.admission
    refusal = admission.refusal_for_all()
    if refusal is None:
        return Readiness(status="ready")
    response.status_code = refusal.status
    return Readiness(status="draining" if admission.draining else "full")
