/* What catalogd says of itself: its metrics, and its lines of Daemon.Status. */
#include "common/base/num.h"
#include "services/catalogd/io/comparer.h"
#include "services/catalogd/io/scrub.h"
#include "services/catalogd/io/shell.h"

static double gauge_lag(void *arg)
{
    struct catalog_shell *shell = arg;
    struct catalog_replica_status status;
    catalog_replica_status(shell->replica, &status);
    return (double)(status.applied.index - status.durable.index);
}

static double gauge_unfolded(void *arg)
{
    struct catalog_shell *shell = arg;
    return (double)(catalog_shell_facts(shell)->position.index -
                    catalog_applier_stored(shell->applier)->position.index);
}

static double gauge_watches(void *arg)
{
    struct catalog_shell *shell = arg;
    return (double)catalog_topics_watches(shell->topics);
}

void catalog_shell_count(struct catalog_shell *shell)
{
    struct cu_metrics *m = shell->env->metrics;
    shell->count = (struct catalog_counters){
        .woken = cu_metrics_counter(m, "catalog.watch.woken"),
        .unchanged = cu_metrics_counter(m, "catalog.read.unchanged"),
        .evaluated = cu_metrics_counter(m, "catalog.read.evaluated"),
        .joined = cu_metrics_counter(m, "catalog.read.joined"),
        .feed = cu_metrics_counter(m, "catalog.feed.changes"),
        .feed_rows = cu_metrics_counter(m, "catalog.feed.rows"),
        .pulls = cu_metrics_counter(m, "catalog.pull.installed"),
        .pull_failures = cu_metrics_counter(m, "catalog.pull.failed"),
        .applied = cu_metrics_counter(m, "catalog.apply.entries"),
        .commits = cu_metrics_counter(m, "catalog.apply.commits"),
        .commit_failures = cu_metrics_counter(m, "catalog.apply.failed"),
        .folds = cu_metrics_counter(m, "catalog.fold.runs"),
        .proposed = cu_metrics_counter(m, "catalog.propose.calls"),
        .proposals = cu_metrics_counter(m, "catalog.propose.proposals"),
        .rounds = cu_metrics_counter(m, "catalog.read.rounds"),
        .refused = cu_metrics_counter(m, "catalog.propose.refused"),
        .scrubs = cu_metrics_counter(m, "catalog.scrub.runs"),
        .scrub_damaged = cu_metrics_counter(m, "catalog.scrub.damaged"),
        .compare_agreed = cu_metrics_counter(m, "catalog.compare.agreed"),
        .compare_differs = cu_metrics_counter(m, "catalog.compare.differs"),
        .batch = cu_metrics_sample(m, "catalog.apply.batch"),
        .kv_apply = cu_metrics_sample(m, "kvs.apply"),
        .catalog_register = cu_metrics_sample(m, "catalog.register"),
        .catalog_deregister = cu_metrics_sample(m, "catalog.deregister"),
    };
    cu_metrics_gauge(m, "catalog.durable.lag", gauge_lag, shell);
    cu_metrics_gauge(m, "catalog.fold.lag", gauge_unfolded, shell);
    cu_metrics_gauge(m, "catalog.watch.waiting", gauge_watches, shell);
}

void catalog_shell_status(void *state, cu_status_add *add, void *to)
{
    struct catalog_shell *shell = state;
    struct catalog_replica_status status;
    catalog_replica_status(shell->replica, &status);
    const struct catalog_facts *facts = catalog_shell_facts(shell);
    char cluster[CU_UUID_BYTES];
    add(to, "cluster_id", "%s", cu_format_uuid(facts->position.cluster.bytes, cluster));
    add(to, "applied_index", "%llu", (unsigned long long)status.applied.index);
    add(to, "stored_index", "%llu",
        (unsigned long long)catalog_applier_stored(shell->applier)->position.index);
    add(to, "durable_index", "%llu", (unsigned long long)status.durable.index);
    add(to, "shown_index", "%llu", (unsigned long long)facts->shown_index);
    add(to, "state_hash", "%016llx%016llx", (unsigned long long)facts->hash.hi,
        (unsigned long long)facts->hash.lo);
    add(to, "attached", "%s", status.is_attached ? "true" : "false");
    add(to, "reader", "%s", shell->conf.follow[0] ? "true" : "false");
    add(to, "on_duty", "%s", status.is_on_duty ? "true" : "false");
    add(to, "pulling", "%s", status.is_pulling ? "true" : "false");
    add(to, "scrubbed_index", "%llu", (unsigned long long)catalog_scrub_index(shell->scrub));
    add(to, "agreed_index", "%llu", (unsigned long long)catalog_comparer_index(shell->comparer));
    add(to, "differs", "%s", catalog_comparer_text(shell->comparer));
    add(to, "wrong", "%s", shell->wrong);
    add(to, "stopped", "%s", shell->stopped ? shell->stopped : "");
    add(to, "open_writes", "%u", status.open_writes);
    add(to, "waiting_reads", "%u", status.waiting_reads);
}
