/* host.c - /v1/agent/host: what this host is and has left (http-api.md 2.2), from /proc and
 * statvfs(3). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <jansson.h>

#include "common/base/mono.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/routes.h"

enum { LINE_BYTES = 256, CPUS_MAX = 1024, NS_PER_MS = 1000000 };

static double percent(double part, double whole)
{
    return whole > 0 ? part / whole * 100 : 0;
}

/* A row of /proc/meminfo, in bytes; 0: there is none. */
static json_int_t memory_row(const char *name)
{
    char line[LINE_BYTES];
    unsigned long long kib = 0;
    size_t len = strlen(name);
    FILE *file = fopen("/proc/meminfo", "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, len) == 0 && line[len] == ':') {
            kib = strtoull(line + len + 1, NULL, 10);
            break;
        }
    if (file)
        (void)fclose(file); /* only read */
    return (json_int_t)(kib * 1024);
}

static json_t *memory_part(void)
{
    json_int_t total = memory_row("MemTotal"), available = memory_row("MemAvailable");
    return json_pack("{s:I, s:I, s:I, s:f, s:I, s:I, s:I}", "total", total, "available", available,
                     "used", total - available, "usedPercent",
                     percent((double)(total - available), (double)total), "free",
                     memory_row("MemFree"), "buffers", memory_row("Buffers"), "cached",
                     memory_row("Cached"));
}

/* One entry for each "processor" of /proc/cpuinfo. */
static json_t *cpu_part(void)
{
    char line[LINE_BYTES];
    json_t *list = json_array(), *cpu = NULL;
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file && fgets(line, sizeof line, file) && json_array_size(list) < CPUS_MAX) {
        char *colon = strchr(line, ':');
        if (!colon)
            continue;
        colon[1 + strcspn(colon + 1, "\n")] = 0;
        const char *value = colon + 1 + strspn(colon + 1, " ");
        if (strncmp(line, "processor", 9) == 0) {
            cpu = json_pack("{s:I}", "cpu", (json_int_t)strtoll(value, NULL, 10));
            (void)json_array_append_new(list, cpu);
        } else if (cpu && strncmp(line, "vendor_id", 9) == 0) {
            (void)json_object_set_new(cpu, "vendorId", json_string(value));
        } else if (cpu && strncmp(line, "model name", 10) == 0) {
            (void)json_object_set_new(cpu, "modelName", json_string(value));
        }
    }
    if (file)
        (void)fclose(file);
    return list;
}

static json_t *host_part(void)
{
    struct utsname host = {0};
    struct sysinfo info = {0};
    (void)uname(&host); /* neither can fail with a good pointer */
    (void)sysinfo(&info);
    return json_pack("{s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:s}", "hostname", host.nodename,
                     "uptime", (json_int_t)info.uptime, "bootTime",
                     (json_int_t)(cu_wall_ms() / 1000) - (json_int_t)info.uptime, "procs",
                     (json_int_t)info.procs, "os", "linux", "kernelVersion", host.release,
                     "kernelArch", host.machine, "platformFamily", "linux");
}

static json_t *disk_part(const char *path)
{
    struct statvfs disk = {0};
    if (statvfs(path, &disk))
        return json_null();
    double total = (double)disk.f_blocks * (double)disk.f_frsize;
    double free_bytes = (double)disk.f_bavail * (double)disk.f_frsize;
    double used = (double)(disk.f_blocks - disk.f_bfree) * (double)disk.f_frsize;
    return json_pack("{s:s, s:I, s:I, s:I, s:f, s:I, s:I}", "path", path, "total",
                     (json_int_t)total, "free", (json_int_t)free_bytes, "used", (json_int_t)used,
                     "usedPercent", percent(used, used + free_bytes), "inodesTotal",
                     (json_int_t)disk.f_files, "inodesFree", (json_int_t)disk.f_ffree);
}

void agent_host_get(struct agent_call *call)
{
    struct cu_buf json = {0};
    json_t *whole =
        json_pack("{s:o, s:o, s:o, s:o, s:I, s:n}", "Memory", memory_part(), "CPU", cpu_part(),
                  "Host", host_part(), "Disk", disk_part(call->agent->env->data_dir),
                  "CollectionTime", (json_int_t)cu_wall_ms() * NS_PER_MS, "Errors");
    char *text = json_dumps(whole, JSON_COMPACT);
    json_decref(whole);
    cu_buf_text(&json, text ? text : "null");
    free(text);
    agent_answer_json(call, 200, &json, NULL);
}
