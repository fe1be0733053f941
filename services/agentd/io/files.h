/* files.h - the files under data_dir that keep what was registered (agent.md 10).
 *
 * Written by a worker, one job after the other in the order of submission, each file whole or not
 * at all: written aside, synced, renamed. */
#ifndef AGENT_FILES_H
#define AGENT_FILES_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/loop/loop.h"

struct agent_files;
struct agent_files_job;

/* Makes the folders (0700). CU_E_IO. */
CU_MUST_USE enum cu_err agent_files_open(struct cu_loop *loop, const char *data_dir,
                                         struct agent_files **ret_files, struct cu_diag *diag);
/* Finishes what was submitted; blocks; takes NULL. */
void agent_files_free(struct agent_files *files);

/* ---- writing; names are relative to data_dir, as core/persisted.h makes them ---- */

struct agent_files_job *agent_files_begin(struct agent_files *files);
/* Takes the content over. `is_durable`: synced before it counts as written. */
void agent_files_put(struct agent_files_job *job, const char *name, struct cu_buf *content,
                     bool is_durable);
void agent_files_remove(struct agent_files_job *job, const char *name);
/* The job is done with when `done` (may be NULL) has run. The first failure ends it; `text` names
 * the file. */
typedef void agent_files_done(void *arg, enum cu_err err, const char *text);
void agent_files_submit(struct agent_files_job *job, agent_files_done *done, void *arg);

/* ---- reading, at start ---- */

/* Calls `visit` for each file of a folder ("services", "checks"), in the order of names; folders
 * and what is left of an interrupted write are passed over (the latter removed). A file that cannot
 * be read, or is too large, has `failure` set. CU_E_IO: the folder cannot be read. */
typedef void agent_files_visit(void *arg, const char *name, struct cu_bytes text,
                               const char *failure);
CU_MUST_USE enum cu_err agent_files_each(struct agent_files *files, const char *folder,
                                         agent_files_visit *visit, void *arg, struct cu_diag *diag);
/* One file; CU_E_NOT_FOUND, CU_E_IO, CU_E_TOO_LARGE. Appends. */
CU_MUST_USE enum cu_err agent_files_read(struct agent_files *files, const char *name,
                                         struct cu_buf *out);

#endif
