/* What every daemon can say about its own process. */
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/daemon/run.h"

static double cpu_seconds(void *arg)
{
    (void)arg;
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage))
        return 0;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double rss_bytes(void *arg)
{
    (void)arg;
    unsigned long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    (void)fclose(file); /* only read */
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static double open_files(void *arg)
{
    (void)arg;
    DIR *folder = opendir("/proc/self/fd");
    double count = 0;
    if (!folder)
        return 0;
    while (readdir(folder))
        count++;
    (void)closedir(folder);
    return count > 3 ? count - 3 : 0; /* ".", ".." and the folder itself */
}

static double uptime_seconds(void *arg)
{
    const struct cu_run *run = arg;
    return (double)cu_mono_ms_between(run->started, cu_loop_now(run->env.loop)) / 1000;
}

static double loop_turns(void *arg)
{
    const struct cu_run *run = arg;
    return (double)cu_loop_turns(run->env.loop);
}

static double open_calls(void *arg)
{
    const struct cu_run *run = arg;
    return (double)cu_rpc_open_calls(run->env.rpc);
}

void cu_run_add_metrics(struct cu_run *run)
{
    cu_metrics_gauge(run->env.metrics, "process.cpu_seconds", cpu_seconds, run);
    cu_metrics_gauge(run->env.metrics, "process.rss_bytes", rss_bytes, run);
    cu_metrics_gauge(run->env.metrics, "process.open_files", open_files, run);
    cu_metrics_gauge(run->env.metrics, "process.uptime_seconds", uptime_seconds, run);
    cu_metrics_gauge(run->env.metrics, "loop.turns", loop_turns, run);
    cu_metrics_gauge(run->env.metrics, "rpc.open_calls", open_calls, run);
}
