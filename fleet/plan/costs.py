"""Money: the only place of cost formulas, used by plans, audit and solver alike.

Purchases are paid in a period's first month and monthly costs at each month's end. Amounts of cost rows are
nominal; the present value of an amount paid after m months is ``amount / (1 + discount_rate)^(m / 12)``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from fleet.inventory.inventory import Amounts, Demand, Inventory
from fleet.inventory.tables.hardware import ExistingCluster
from fleet.plan.decisions import ClusterDecision, Decisions
from fleet.plan.plan import CostRow, Totals
from fleet.platform.network import network_design, wiring_policy
from fleet.platform.resiliency import zones_of
from fleet.quantities import GB_PER_TB, HOURS_PER_MONTH, MONTHS_PER_YEAR, WATTS_PER_KW
from fleet.rulepack import RulePack
from fleet.wan.graph import Wan, build_wan
from fleet.wan.replication import Mechanism, choose_mechanism

#: Terms that are bought once and so paid in the first month of their period.
PURCHASE_TERMS = ("nodes", "switch_ports", "opening", "retire")
#: Purchases that come with every node.
NODE_TERMS = ("nodes", "switch_ports")
RESIDUAL = "residual"

#: (term, what it is paid for, period), and one cost of it: an amount of that is nominal.
_Subject = tuple[str, str, int]
_Cost = tuple[_Subject, float]


class Discounting:
    """When amounts are paid and what they are worth in the first month."""

    def __init__(self, inventory: Inventory) -> None:
        self.policy = inventory.policy
        self.periods = inventory.periods

    def discount(self, months: float) -> float:
        """Present value of one unit of money paid after `months`."""
        return float((1.0 + self.policy.discount_rate) ** (-months / MONTHS_PER_YEAR))

    def purchase_factor(self, period: int) -> float:
        """Present value of one unit spent in the first month of `period`."""
        return self.discount(self.periods[period].first_month)

    def monthly_factor(self, period: int) -> float:
        """Present value of one unit paid at the end of every month of `period`."""
        span = self.periods[period]
        return sum(self.discount(month + 1) for month in range(span.first_month, span.first_month + span.months))

    def residual_fraction(self, period: int) -> float:
        """Part of the price of a purchase in `period` that is left at the horizon's end, straight line."""
        if self.policy.residual_value == "none":
            return 0.0
        age = self.policy.horizon_months - self.periods[period].first_month
        return max(0.0, 1.0 - age / self.policy.asset_life_months)

    def standing_fraction(self, row: ExistingCluster) -> float:
        """Part of the price of a standing cluster's nodes that is left at the horizon's end, straight line.

        Its age then is counted in calendar months, from the month of its purchase to that of the policy's `start`, and
        the horizon on top. Nothing is left where one of the dates is blank.
        """
        start, bought = self.policy.start, row.purchased
        if self.policy.residual_value == "none" or start is None or bought is None:
            return 0.0
        before = (start.year - bought.year) * MONTHS_PER_YEAR + start.month - bought.month
        return max(0.0, 1.0 - (before + self.policy.horizon_months) / self.policy.asset_life_months)

    def residual_factor(self, period: int) -> float:
        """Present value of what is left at the horizon's end of one unit spent in `period`."""
        return self.residual_fraction(period) * self.discount(self.policy.horizon_months)

    def present_value(self, row: CostRow) -> float:
        """Present value of one cost row, by its term."""
        if row.term == RESIDUAL:
            return row.amount * self.discount(self.policy.horizon_months)
        if row.kind == "capex":
            return row.amount * self.purchase_factor(row.period)
        months = self.periods[row.period].months
        return row.amount / months * self.monthly_factor(row.period)


class Rates(Discounting):
    """What each thing costs in one inventory: unit prices and discount factors.

    Parameters
    ----------
    inventory : Inventory
        Its ``prices`` table overrides the defaults of the rule pack.
    pack : RulePack
        Default prices.
    wan : Wan, optional
        The WAN of the inventory, built where it is not given.
    """

    def __init__(self, inventory: Inventory, pack: RulePack, wan: Wan | None = None) -> None:
        super().__init__(inventory)
        self.inventory = inventory
        self.pack = pack
        self.wan = build_wan(inventory) if wan is None else wan
        self._prices = {row.item: row.price for row in inventory.prices}
        self._ports: dict[tuple[str, int, bool, int, bool], int] = {}

    def price(self, item: str) -> float:
        """Price of a listed item: the price book's, else the rule pack's."""
        return self._prices[item] if item in self._prices else self.pack.number(f"prices.{item}")

    def node_price(self, model: str) -> float:
        """Price of one node by itself [currency]."""
        return self.inventory.node_model_by_name[model].price

    def switch_ports_purchase(
        self, model: str, counts: Iterable[int] = (), zones: int = 1, standing: ExistingCluster | None = None
    ) -> float:
        """Price of the switch ports of one node, as its cluster is wired [currency].

        Parameters
        ----------
        model : str
            Node model.
        counts : iterable of int
            Node counts that the cluster has over time, with those it stands with already; none = one that grows.
            Only one that keeps its count may be cabled directly.
        zones : int
            Zones that it is spread over.
        standing : ExistingCluster, optional
            Its row, where it stands already.
        """
        found = sorted(set(counts) - {0}) or [1, 2]
        policy = wiring_policy(self.inventory.policy, standing)
        key = (model, found[-1], len(found) > 1, zones, policy.storage_switch)
        if key not in self._ports:
            node_model = self.inventory.node_model_by_name[model]
            design = network_design(node_model, found[-1], policy, self.pack, grows=len(found) > 1, zones=zones)
            self._ports[key] = design.switch_ports
        return self._ports[key] * self.price("switch_port")

    def node_purchase(
        self, model: str, counts: Iterable[int] = (), zones: int = 1, standing: ExistingCluster | None = None
    ) -> float:
        """Price of one node with its switch ports, which its cluster decides on as above [currency]."""
        return self.node_price(model) + self.switch_ports_purchase(model, counts, zones, standing)

    def standing_residual(self, row: ExistingCluster) -> float:
        """What is left of a standing cluster's nodes at the end, at today's price without ports [currency]."""
        return row.nodes * self.node_price(row.node_model) * self.standing_fraction(row)

    def host_fee_monthly(self, model: str) -> float:
        """Platform host fee of one node: per physical core, waived by the hybrid benefit [currency/month]."""
        return 0.0 if self.inventory.policy.hybrid_benefit else self._per_core(model, "host_fee_per_core_month")

    def licenses_monthly(self, model: str) -> float:
        """Licenses of one node that waive host fee and guest subscription, on every core [currency/month]."""
        return self._per_core(model, "hybrid_benefit_per_core_month") if self.inventory.policy.hybrid_benefit else 0.0

    def windows_monthly(self, model: str) -> float:
        """Guest subscription of one node: on every core, waived by the hybrid benefit [currency/month]."""
        policy = self.inventory.policy
        is_paid = policy.windows_subscription and not policy.hybrid_benefit
        return self._per_core(model, "windows_subscription_per_core_month") if is_paid else 0.0

    def _per_core(self, model: str, item: str) -> float:
        return self.inventory.node_model_by_name[model].cores * self.price(item)

    def support_monthly(self, model: str) -> float:
        """Support of one node [currency/month]."""
        return self.inventory.node_model_by_name[model].annual_support / MONTHS_PER_YEAR

    def power_monthly(self, model: str, site: str) -> float:
        """Energy of one node at the site's price, else the price book's [currency/month]."""
        own = self.inventory.site(site).power_price_per_kwh
        price = self.price("power_price_per_kwh") if own is None else own
        return self.inventory.node_model_by_name[model].watts / WATTS_PER_KW * HOURS_PER_MONTH * price

    def cooling_monthly(self, model: str, site: str) -> float:
        """Energy for cooling one node [currency/month]."""
        return self.power_monthly(model, site) * self.price("cooling_kwh_per_kwh")

    def node_terms_monthly(self, model: str, site: str) -> dict[str, float]:
        """What one node costs every month, by cost term [currency/month]."""
        return {
            "host_fee": self.host_fee_monthly(model),
            "licenses": self.licenses_monthly(model),
            "windows": self.windows_monthly(model),
            "support": self.support_monthly(model),
            "power": self.power_monthly(model, site),
            "cooling": self.cooling_monthly(model, site),
        }

    def node_monthly(self, model: str, site: str) -> float:
        """Fees, support, energy and cooling of one node [currency/month]."""
        return sum(self.node_terms_monthly(model, site).values())

    def site_opening(self, site: str) -> float:
        """Paid once when the first cluster opens; nothing where a cluster stands already [currency]."""
        if any(cluster.site == site for cluster in self.inventory.clusters):
            return 0.0
        return self.inventory.site(site).opening_cost

    def site_monthly(self, site: str) -> float:
        """Paid while a cluster stands [currency/month]."""
        return self.inventory.site(site).monthly_cost

    def wan_monthly(self) -> float:
        """All links and access circuits, used or not [currency/month]."""
        return sum(link.monthly_cost for link in self.wan.links.values())

    def link_upgrade_monthly(self, link: str) -> float:
        """On top of the monthly cost of an upgraded link [currency/month]."""
        return self.wan.links[link].upgrade_monthly_cost

    def protection_fee(self, mechanism: Mechanism) -> float:
        """Fee of a mechanism: per stream, or in the cloud per instance [currency/month]."""
        return self.price(mechanism.fee_item) if mechanism.fee_item else 0.0

    def protection_monthly(self, demand: Demand, mechanism: Mechanism, period: int) -> float:
        """Fees of the copy of one protected demand in a period; 0 before it exists [currency/month].

        A copy on a standby cluster pays one stream; in the cloud every instance pays, and so does what is stored.
        """
        if self.inventory.growth_factors(demand)[period] == 0:
            return 0.0
        fee = self.protection_fee(mechanism)
        if not mechanism.is_cloud:
            return fee
        stored_gb = self.inventory.amounts(demand, period).storage_tb * GB_PER_TB
        return demand.row.count * fee + stored_gb * self.price("site_recovery_storage_per_gb_month")

    def backup_monthly(self, demand: Demand, period: int) -> float:
        """Fees and storage of the backups of one demand in a period; 0 where none are kept [currency/month]."""
        row = demand.row
        if row.backup_days == 0 or self.inventory.growth_factors(demand)[period] == 0:
            return 0.0
        stored_gb = backup_store_tb(self.inventory.amounts(demand, period), row.backup_days) * GB_PER_TB
        fees = row.count * self.price("backup_per_instance_month")
        return fees + stored_gb * self.price("backup_storage_per_gb_month")

    def backups(self) -> float:
        """Present value of all backups, which no decision changes [currency]."""
        return sum(
            self.backup_monthly(demand, period.index) * self.monthly_factor(period.index)
            for demand in self.inventory.demands
            if demand.row.backup_days > 0
            for period in self.periods
        )

    def retire(self, cluster: str) -> float:
        """Paid in the first month for retiring an existing cluster [currency]."""
        return next((row.cost_to_retire for row in self.inventory.clusters if row.cluster == cluster), 0.0)


def backup_store_tb(amounts: Amounts, days: int) -> float:
    """Room for the backups of a demand: a whole copy and the changes of every day kept, uncompressed [TB].

    References
    ----------
    AzureLocal/azurelocal-surveyor docs/capacity-model.md (community, 06/2026).
    """
    return amounts.storage_tb + amounts.change_gb_per_day * days / GB_PER_TB


def standing_of(inventory: Inventory, cluster: ClusterDecision) -> ExistingCluster | None:
    """The row of a cluster that stands already; None for a new one."""
    if not cluster.existing:
        return None
    return next((row for row in inventory.clusters if row.cluster == cluster.cluster), None)


def added_nodes(inventory: Inventory, cluster: ClusterDecision) -> tuple[int, ...]:
    """Nodes bought per period; those that an existing cluster brings are free."""
    standing = standing_of(inventory, cluster)
    brought = 0 if standing is None else standing.nodes
    before = (brought, *cluster.nodes[:-1])
    return tuple(max(0, now - max(brought, earlier)) for now, earlier in zip(cluster.nodes, before, strict=True))


def cost_rows(
    inventory: Inventory, pack: RulePack, decisions: Decisions, rates: Rates | None = None
) -> tuple[CostRow, ...]:
    """Every cost of a decision, nominal, sorted by (term, subject, period); zero amounts are left out.

    Protection and backup fees are summed per workload, over the whole of every period in which the demand exists at
    all. Residual values are negative capex in the last period; standing clusters that stay have theirs.

    Raises
    ------
    UnknownIdError, KeyError
        If the decision names a site, node model or link that the inventory lacks.
    """
    rates = Rates(inventory, pack) if rates is None else rates
    amounts: defaultdict[_Subject, float] = defaultdict(float)
    for entries in (
        *(_cluster_costs(inventory, pack, cluster, rates) for cluster in decisions.clusters),
        _site_costs(inventory, decisions, rates),
        _link_costs(inventory, decisions, rates),
        ((("retire", name, 0), rates.retire(name)) for name in decisions.retired),
        _protection_costs(inventory, pack, decisions, rates),
        _backup_costs(inventory, decisions, rates),
    ):
        for subject, amount in entries:
            amounts[subject] += amount
    return tuple(
        CostRow(
            term=term,
            subject=subject,
            period=period,
            kind="capex" if term in (*PURCHASE_TERMS, RESIDUAL) else "opex",
            amount=amount,
        )
        for (term, subject, period), amount in sorted(amounts.items())
        if amount != 0.0
    )


def _cluster_costs(inventory: Inventory, pack: RulePack, cluster: ClusterDecision, rates: Rates) -> Iterator[_Cost]:
    """Purchases, residual values and running costs of the nodes of one cluster."""
    last = len(inventory.periods) - 1
    model, name, row = cluster.node_model, cluster.cluster, standing_of(inventory, cluster)
    counts = (*cluster.nodes, 0 if row is None else row.nodes)
    ports = rates.switch_ports_purchase(model, counts, zones_of(cluster.layouts[-1], pack), row)
    price = rates.node_price(model) + ports
    for period, added in enumerate(added_nodes(inventory, cluster)):
        yield ("nodes", name, period), added * rates.node_price(model)
        yield ("switch_ports", name, period), added * ports
        yield (RESIDUAL, name, last), -(added * price * rates.residual_fraction(period))
    if row is not None:
        yield (RESIDUAL, name, last), -rates.standing_residual(row)
    monthly = rates.node_terms_monthly(model, cluster.site)
    for span, nodes in zip(inventory.periods, cluster.nodes, strict=True):
        for term, amount in monthly.items():
            yield (term, name, span.index), nodes * span.months * amount


def _site_costs(inventory: Inventory, decisions: Decisions, rates: Rates) -> Iterator[_Cost]:
    """Opening and rent of sites, from the period on in which a cluster has nodes there."""
    nodes_at: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for cluster in decisions.clusters:
        for span, nodes in zip(inventory.periods, cluster.nodes, strict=True):
            nodes_at[cluster.site][span.index] += nodes
    for site, nodes_in in nodes_at.items():
        standing = [span for span in inventory.periods if nodes_in[span.index] > 0]
        if standing:
            yield ("opening", site, standing[0].index), rates.site_opening(site)
        for span in standing:
            yield ("site", site, span.index), span.months * rates.site_monthly(site)


def _link_costs(inventory: Inventory, decisions: Decisions, rates: Rates) -> Iterator[_Cost]:
    for name, link in rates.wan.links.items():
        for span in inventory.periods:
            yield ("wan", name, span.index), span.months * link.monthly_cost
            if span.index >= decisions.upgrades.get(name, len(inventory.periods)):
                yield ("link_upgrade", name, span.index), span.months * link.upgrade_monthly_cost


def _protection_costs(inventory: Inventory, pack: RulePack, decisions: Decisions, rates: Rates) -> Iterator[_Cost]:
    """Fees of protection by workload, while their demand exists."""
    in_cloud = [key for key in decisions.primary if inventory.demand_by_key[key].recovers_in_cloud]
    for key in dict.fromkeys((*decisions.standby, *in_cloud)):
        demand = inventory.demand_by_key[key]
        mechanism = choose_mechanism(demand, inventory.policy, pack, inventory.prices)
        if isinstance(mechanism, str):
            continue
        for span in inventory.periods:
            fee = rates.protection_monthly(demand, mechanism, span.index)
            yield ("protection", demand.workload, span.index), span.months * fee


def _backup_costs(inventory: Inventory, decisions: Decisions, rates: Rates) -> Iterator[_Cost]:
    for key in decisions.primary:
        demand = inventory.demand_by_key[key]
        if demand.row.backup_days > 0:
            for span in inventory.periods:
                fee = rates.backup_monthly(demand, span.index)
                yield ("backup", demand.workload, span.index), span.months * fee


def totals(inventory: Inventory, rows: Iterable[CostRow]) -> Totals:
    """Nominal capex and opex, and the present value, of cost rows.

    Residual values reduce capex and present value.
    """
    discounting = Discounting(inventory)
    capex = opex = present_value = 0.0
    for row in rows:
        if row.kind == "capex":
            capex += row.amount
        else:
            opex += row.amount
        present_value += discounting.present_value(row)
    return Totals(capex=capex, opex=opex, present_value=present_value)


def budgeted_capex(rows: Iterable[CostRow]) -> float:
    """Sum what the budget limits: nominal capex without residual values."""
    return sum(row.amount for row in rows if row.kind == "capex" and row.term != RESIDUAL)
