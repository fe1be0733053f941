/* `conf render` (cli.md 4.29). */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/conf/address.h"
#include "common/conf/key.h"
#include "common/daemon/host.h"
#include "common/daemon/node_id.h"
#include "services/curia/agent/settings.h"
#include "services/curia/client.h"
#include "services/curia/command.h"

static enum cu_err give_to(const char *path, const char *owner, struct cu_diag *diag)
{
    char text[1024];
    struct passwd entry, *found = NULL;
    if (getpwnam_r(owner, &entry, text, sizeof text, &found) || !found)
        return cu_fail(diag, CU_E_INVALID, "this host has no user \"%.64s\"", owner);
    if (lchown(path, entry.pw_uid, entry.pw_gid))
        return cu_fail(diag, CU_E_IO, "cannot give %s to %.64s: %s", path, owner, strerror(errno));
    return CU_OK;
}

static enum cu_err write_part(const struct cu_conf *conf, const char *daemon, const char *out,
                              const char *owner, struct cu_diag *diag)
{
    char path[CLI_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s.json", cu_conf_text(conf, "run_dir"), daemon);
    enum cu_err err = agent_settings_write_part(conf, daemon, out ? out : path, diag);
    return err || !owner ? err : give_to(out ? out : path, owner, diag);
}

/* What one of the daemons would find out, so that all of them find the same. */
static enum cu_err find_out(const struct cu_conf *conf, json_t **ret_found, struct cu_diag *diag)
{
    const char *data_dir = cu_conf_text(conf, "data_dir");
    char id[CU_UUID_BYTES], address[CU_IP_BYTES];
    if (!*data_dir)
        return cu_fail(diag, CU_E_INVALID, "data_dir cannot be empty");
    (void)snprintf(id, sizeof id, "%s", cu_conf_text(conf, "node_id"));
    enum cu_err err = cu_host_make_dir(data_dir, 0755, diag);
    if (!err && !*id)
        err = cu_node_id(data_dir, id, diag);
    if (!err)
        err = cu_conf_advertise(conf, address, diag);
    if (!err)
        *ret_found = json_pack("{s:s, s:s}", "node_id", id, "advertise_addr", address);
    return err;
}

static enum cu_err read_conf(const struct cli_args *args, struct cu_conf **ret_conf,
                             struct cu_diag *diag)
{
    struct cu_conf *first = NULL;
    json_t *found = NULL;
    enum cu_err err = agent_settings_read(args, NULL, &first, NULL, diag);
    if (err || !cli_bool(args, "identify")) {
        *ret_conf = first;
        return err;
    }
    err = find_out(first, &found, diag);
    if (!err)
        err = agent_settings_read(args, found, ret_conf, NULL, diag);
    json_decref(found);
    cu_conf_free(first);
    return err;
}

/* DAEMON comes before the flags here, as in the reference page; both orders are taken. */
int cli_conf_render(const struct cli_args *args)
{
    struct cli_args own = *args;
    const char *daemon = args->word_count ? args->words[0] : NULL;
    if (daemon && args->word_count > 1 &&
        !cli_args_parse(&own, args->word_count - 1, args->words + 1))
        return 1;
    if (!daemon)
        return cli_sorry("Missing DAEMON argument");
    if (args->word_count > 1 && own.word_count)
        return cli_sorry("Unexpected extra argument: %s", own.words[0]);
    if (!cu_key_owner(daemon) || !strcmp(daemon, "curia"))
        return cli_sorry("Unknown daemon: %s", daemon);
    struct cu_conf *conf = NULL;
    struct cu_diag diag = {0};
    enum cu_err err = read_conf(&own, &conf, &diag);
    if (!err)
        err = write_part(conf, daemon, cli_text(&own, "out"), cli_text(&own, "owner"), &diag);
    cu_conf_free(conf);
    return err ? cli_sorry("%s", *diag.text ? diag.text : cu_err_words(err)) : 0;
}
