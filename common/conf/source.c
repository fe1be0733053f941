#include "common/conf/source.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/assert.h"
#include "common/hcl/hcl.h"

enum { PATH_BYTES = 4096 };

static bool ends_in(const char *name, const char *ending)
{
    size_t len = strlen(name), tail = strlen(ending);
    return len >= tail && !strcmp(name + len - tail, ending);
}

/* Go's words for an errno, since scripts match them; the C library's begin with a capital. */
static const char *go_words(int error)
{
    switch (error) {
    case ENOENT:
        return "no such file or directory";
    case EACCES:
        return "permission denied";
    case ENOTDIR:
        return "not a directory";
    default:
        return strerror(error);
    }
}

static enum cu_err open_failed(const char *path, struct cu_diag *diag)
{
    return cu_fail(diag, errno == ENOENT || errno == ENOTDIR ? CU_E_NOT_FOUND : CU_E_IO,
                   "config: Open failed on %s. open %s: %s", path, path, go_words(errno));
}

static enum cu_err parse_json(const char *text, size_t len, const char *name, json_t **ret_content,
                              struct cu_diag *diag)
{
    json_error_t error;
    json_t *content = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!content)
        return cu_fail(diag, CU_E_INVALID, "failed to parse %s: line %d, column %d: %s", name,
                       error.line, error.column, error.text);
    *ret_content = content;
    return CU_OK;
}

static enum cu_err parse_hcl(const char *text, size_t len, const char *name, json_t **ret_content,
                             struct cu_diag *diag)
{
    struct cu_diag why = {0};
    enum cu_err err =
        cu_hcl_parse((struct cu_bytes){(const uint8_t *)text, len}, ret_content, &why);
    return err ? cu_fail(diag, err, "failed to parse %s: %s", name, why.text) : CU_OK;
}

enum cu_err cu_conf_read_text(const char *text, size_t len, const char *name, bool is_hcl,
                              cu_conf_take *take, void *arg, struct cu_diag *diag)
{
    if (len > CU_CONF_FILE_BYTES)
        return cu_fail(diag, CU_E_TOO_LARGE, "failed to parse %s: file is over %d bytes", name,
                       CU_CONF_FILE_BYTES);
    json_t *content = NULL;
    enum cu_err err = is_hcl ? parse_hcl(text, len, name, &content, diag)
                             : parse_json(text, len, name, &content, diag);
    if (!err && !json_is_object(content))
        err = cu_fail(diag, CU_E_INVALID, "failed to parse %s: not a JSON object", name);
    if (!err)
        err = take(arg, name, content, is_hcl, diag);
    json_decref(content);
    return err;
}

/* What a walk over files hands down. */
struct walk {
    const char *format;
    json_t *warnings;
    cu_conf_take *take;
    void *arg;
    struct cu_diag *diag;
};

static enum cu_err read_file(const struct walk *walk, const char *path)
{
    struct cu_diag *diag = walk->diag;
    bool is_hcl = walk->format ? !strcmp(walk->format, "hcl") : ends_in(path, ".hcl");
    FILE *file = fopen(path, "re");
    if (!file)
        return open_failed(path, diag);
    char *text = cu_alloc(CU_CONF_FILE_BYTES + 1);
    size_t len = fread(text, 1, CU_CONF_FILE_BYTES + 1, file);
    enum cu_err err = CU_OK;
    if (ferror(file))
        err = cu_fail(diag, CU_E_IO, "config: Read failed on %s. %s", path, go_words(errno));
    (void)fclose(file); /* only read */
    if (!err)
        err = cu_conf_read_text(text, len, path, is_hcl, walk->take, walk->arg, diag);
    free(text);
    return err;
}

static enum cu_err read_entry(const struct walk *walk, const char *folder, const char *name)
{
    char path[PATH_BYTES];
    int len = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (len >= PATH_BYTES)
        return cu_fail(walk->diag, CU_E_INVALID, "config: path over %d bytes: %s", PATH_BYTES,
                       folder);
    struct stat info;
    if (stat(path, &info))
        return open_failed(path, walk->diag);
    if (S_ISDIR(info.st_mode))
        return CU_OK;
    if (walk->format || ends_in(name, ".json") || ends_in(name, ".hcl"))
        return read_file(walk, path);
    char text[PATH_BYTES + 80];
    (void)snprintf(
        text, sizeof text,
        "skipping file %s, extension must be .hcl or .json, or config format must be set", path);
    if (walk->warnings)
        (void)json_array_append_new(walk->warnings, json_string(text));
    return CU_OK;
}

static enum cu_err read_folder(const struct walk *walk, const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0)
        return open_failed(path, walk->diag);
    enum cu_err err = CU_OK;
    for (int i = 0; i < count; i++) {
        if (!err && strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
            err = read_entry(walk, path, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return err;
}

enum cu_err cu_conf_read(const char *path, const char *format, json_t *warnings, cu_conf_take *take,
                         void *arg, struct cu_diag *diag)
{
    struct walk walk = {format, warnings, take, arg, diag};
    struct stat info;
    if (stat(path, &info))
        return open_failed(path, diag);
    if (S_ISDIR(info.st_mode))
        return read_folder(&walk, path);
    return read_file(&walk, path);
}
