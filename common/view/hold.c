/* hold.c - requests that wait for a catalogd; declared in internal.h. */
#include "common/view/internal.h"

bool view_is_held(const struct view_task *task)
{
    return task->at != NULL;
}

bool view_try_another(struct cu_view *view, struct view_task *task, const struct cu_client *asked)
{
    bool first = task->hold_until.ns == 0;
    if (first)
        task->hold_until = cu_mono_add_ms(cu_loop_now(view->loop), view->hold_ms);
    return view_catalogs_avoid(view->catalogs, asked) && first;
}

static void enter(struct cu_view *view, struct view_task *task)
{
    task->next = view->held;
    task->at = &view->held;
    if (task->next)
        task->next->at = &task->next;
    view->held = task;
    view->held_count++;
}

void view_task_leave(struct cu_view *view, struct view_task *task)
{
    if (!view_is_held(task))
        return;
    *task->at = task->next;
    if (task->next)
        task->next->at = task->at;
    task->at = NULL;
    view->held_count--;
}

void view_hold(struct cu_view *view, struct view_task *task)
{
    if (task->hold_until.ns == 0)
        task->hold_until = cu_mono_add_ms(cu_loop_now(view->loop), view->hold_ms);
    if (view->held_count >= CU_VIEW_HELD_MAX)
        task->hold_until = cu_loop_now(view->loop); /* told at the next tick */
    enter(view, task);
    if (!cu_timer_is_set(&view->tick))
        cu_timer_set_ms(&view->tick, VIEW_TICK_MS);
}

/* Each of those that are held now, once: what is held again meanwhile waits for the next time. */
static void each_held(struct cu_view *view, bool only_expired)
{
    struct cu_mono now = cu_loop_now(view->loop);
    struct view_task *list = view->held;
    view->held = NULL;
    if (list)
        list->at = &list;
    while (list) {
        struct view_task *task = list;
        view_task_leave(view, task);
        if (!cu_mono_before(now, task->hold_until))
            task->fail(view, task);
        else if (only_expired)
            enter(view, task);
        else
            task->go(view, task);
    }
}

void view_run_held(void *arg)
{
    each_held(arg, false);
}

void view_tick(void *arg)
{
    struct cu_view *view = arg;
    each_held(view, !cu_view_is_up(view));
    if (view->held)
        cu_timer_set_ms(&view->tick, VIEW_TICK_MS);
}
