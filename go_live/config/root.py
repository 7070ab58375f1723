"""All of golive.toml."""

from go_live.config.logs import Logs
from go_live.config.measuring import Attribution, Burst, Cold, Golden, Load, Slo, Soak, Tuning
from go_live.config.operating import Alerts, Dashboard, Drill, GatewayConfig, Rollout
from go_live.config.release import Attestations, Keys, Profile, Release, Signing
from go_live.config.service import Assumed, Client, EndpointConfig, Gpu, Guardrails, Model, Price
from go_live.config.values import ProfileName, Section
from go_live.config.waivers import WaiverEntry


class Config(Section, frozen=True):
    """All of golive.toml."""

    release: Release
    signing: Signing
    endpoint: EndpointConfig
    model: Model
    guardrails: Guardrails
    slo: Slo
    load: Load
    soak: Soak
    client: Client
    tuning: Tuning
    gateway: GatewayConfig
    attribution: Attribution
    cold: Cold
    burst: Burst
    alerts: Alerts
    rollout: Rollout
    drill: Drill
    dashboard: Dashboard
    logs: Logs
    keys: Keys
    attestations: Attestations
    golden: Golden
    gpu: Gpu
    price: Price
    assumed: Assumed
    profile: dict[ProfileName, Profile]
    waivers: tuple[WaiverEntry, ...] = ()
