#include "services/catalogd/io/acl_duty.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/mono.h"
#include "common/base/random.h"
#include "services/catalogd/core/acl_builtin.h"
#include "services/catalogd/core/acl_token.h"

enum {
    PROPOSE_MS = 10000,
    LOOK_ARENA_BYTES = 4 * 1024 * 1024,
    FILE_BYTES_MAX = 64, /* of the reset file: more is no number */
    PATH_BYTES = 4096,
};

#define RESET_FILE "acl-bootstrap-reset"

struct catalog_acl_duty {
    struct catalog_shell *shell;
    bool is_making; /* of what there always is */
    bool is_reaping;
    struct catalog_read_job job; /* looks for expired tokens: the table may be large */
    struct cu_arena *arena;      /* of the job */
    struct catalog_list expired; /* accessor ids, in the arena */
    uint64_t wall_ms;
};

/* ---- what there always is ---- */

static void made(void *arg, enum cu_err err, const struct catalog_outcome *outcome)
{
    struct catalog_acl_duty *duty = arg;
    duty->is_making = false;
    if (err) /* the next look tries again, here or on another server */
        cu_debug(duty->shell->env->log, "acl.builtins", "error=%s", cu_err_name(err));
    else if (outcome->result->error)
        cu_error(duty->shell->env->log, "acl.builtins", "why=\"%s\"", outcome->result->text);
    else
        cu_info(duty->shell->env->log, "acl.builtins", "made=true");
}

static void make_builtins(struct catalog_acl_duty *duty)
{
    struct catalog_shell *shell = duty->shell;
    Curia__Internal__V1__AclBuiltinsCommand body = CURIA__INTERNAL__V1__ACL_BUILTINS_COMMAND__INIT;
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    char accessor_id[CU_UUID_BYTES];
    uint8_t bytes[16];
    cu_uuid_random(bytes);
    body.master_secret_id = (char *)(uintptr_t)shell->conf.acl_master;
    body.master_accessor_id = cu_format_uuid(bytes, accessor_id);
    command.actor = "anonymous";
    command.cause = "duty";
    command.acl_builtins = &body;
    duty->is_making = true;
    (void)catalog_write_start(shell, &command,
                              cu_mono_add_ms(cu_loop_now(shell->env->loop), PROPOSE_MS), true, made,
                              duty);
}

static bool is_anything_missing(struct catalog_shell *shell)
{
    const struct catalog_backend *snapshot = catalog_readers_snapshot(shell->readers);
    struct cu_arena *arena = cu_arena_new(LOOK_ARENA_BYTES);
    struct catalog_bookmark bookmark;
    bool is_missing = false;
    if (snapshot && !catalog_bookmark_read(snapshot, arena, &bookmark)) {
        struct catalog_view view = catalog_view_of(snapshot, &bookmark);
        if (catalog_acl_builtins_missing(&view, shell->conf.acl_master, arena, &is_missing))
            is_missing = false; /* it cannot be read now; the next look tells */
    }
    cu_arena_free(arena);
    return is_missing;
}

void catalog_acl_builtins_run(void *context)
{
    struct catalog_shell *shell = context;
    if (shell->conf.acl.is_enabled && !shell->acl_duty->is_making && is_anything_missing(shell))
        make_builtins(shell->acl_duty);
}

/* ---- expired tokens ---- */

static bool see_token(void *arg, const struct catalog_row *row)
{
    struct catalog_acl_duty *duty = arg;
    Curia__V1__AclToken *token =
        curia__v1__acl_token__unpack(NULL, row->value.len, row->value.data);
    bool has_room = true;
    if (token && catalog_acl_token_is_expired(token, duty->wall_ms)) {
        char *id = cu_arena_strdup(duty->arena, token->accessor_id);
        has_room = id && catalog_list_add(&duty->expired, duty->arena, id);
    }
    curia__v1__acl_token__free_unpacked(token, NULL);
    return has_room && duty->expired.count < CATALOG_ACL_REAP_MAX;
}

static void look(void *arg, const struct catalog_backend *backend, const struct cu_diag *diag)
{
    struct catalog_acl_duty *duty = arg;
    (void)diag;
    if (backend) /* a failed look is one that found nothing; the next run looks again */
        (void)backend->scan(backend->context, CATALOG_ACL_TOKENS, (struct cu_bytes){0},
                            (struct cu_bytes){0}, see_token, duty);
}

static void on_reaped(void *arg, enum cu_err err, const struct catalog_outcome *outcome)
{
    struct catalog_acl_duty *duty = arg;
    (void)outcome;
    if (err) /* the next run tries again, here or on another server */
        cu_debug(duty->shell->env->log, "acl.reap", "error=%s", cu_err_name(err));
}

static void looked(void *arg)
{
    struct catalog_acl_duty *duty = arg;
    struct catalog_shell *shell = duty->shell;
    duty->is_reaping = false;
    if (duty->expired.count && shell->duties.is_on) {
        Curia__Internal__V1__AclReapCommand body = CURIA__INTERNAL__V1__ACL_REAP_COMMAND__INIT;
        Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
        body.accessor_ids = (char **)duty->expired.items;
        body.n_accessor_ids = duty->expired.count;
        command.actor = "anonymous";
        command.cause = "reap";
        command.acl_reap = &body;
        (void)catalog_write_start(shell, &command,
                                  cu_mono_add_ms(cu_loop_now(shell->env->loop), PROPOSE_MS), true,
                                  on_reaped, duty);
    }
    duty->expired = (struct catalog_list){0};
    cu_arena_reset(duty->arena);
}

void catalog_acl_reap_run(void *context)
{
    struct catalog_shell *shell = context;
    struct catalog_acl_duty *duty = shell->acl_duty;
    if (!shell->conf.acl.is_enabled || duty->is_reaping)
        return;
    duty->is_reaping = true;
    duty->wall_ms = cu_wall_ms();
    catalog_readers_submit(shell->readers, &duty->job);
}

/* ---- the file ---- */

static void reset_path(const struct catalog_shell *shell, char path[PATH_BYTES])
{
    (void)snprintf(path, PATH_BYTES, "%s/" RESET_FILE, shell->env->data_dir);
}

/* Digits, with blanks around them. */
static uint64_t parse(const char *text)
{
    uint64_t number;
    text += strspn(text, " \t\r\n");
    size_t len = strspn(text, "0123456789");
    return cu_parse_u64(text, len, &number) ? 0 : number;
}

uint64_t catalog_acl_reset_file_read(struct catalog_shell *shell)
{
    char path[PATH_BYTES], text[FILE_BYTES_MAX + 1] = "";
    reset_path(shell, path);
    FILE *file = fopen(path, "re");
    if (!file) {
        if (errno != ENOENT)
            cu_error(shell->env->log, "acl.reset", "path=%s error=\"%s\"", path, strerror(errno));
        return 0;
    }
    (void)fread(text, 1, FILE_BYTES_MAX, file);
    (void)fclose(file);
    uint64_t number = parse(text);
    if (!number)
        cu_error(shell->env->log, "acl.reset", "path=%s text=\"there is no index in it\"", path);
    return number;
}

void catalog_acl_reset_file_remove(struct catalog_shell *shell)
{
    char path[PATH_BYTES];
    reset_path(shell, path);
    if (unlink(path) != 0 && errno != ENOENT)
        cu_warn(shell->env->log, "acl.reset", "path=%s error=\"%s\"", path, strerror(errno));
}

/* ---- life ---- */

struct catalog_acl_duty *catalog_acl_duty_new(struct catalog_shell *shell)
{
    struct catalog_acl_duty *duty = cu_alloc(sizeof *duty);
    duty->shell = shell;
    duty->arena = cu_arena_new(LOOK_ARENA_BYTES);
    duty->job = (struct catalog_read_job){.run = look, .done = looked, .arg = duty};
    return duty;
}

void catalog_acl_duty_free(struct catalog_acl_duty *duty)
{
    if (!duty)
        return;
    cu_arena_free(duty->arena);
    free(duty);
}
