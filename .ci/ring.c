/* A file by way of io_uring, for kernels that are booted bare: opened, read, closed; no library. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ring;
static char *sq, *cq;
static struct io_uring_sqe *sqes;
static struct io_uring_params p;

static int ask(struct io_uring_sqe sqe) {
    unsigned *tail = (void *)(sq + p.sq_off.tail), *head = (void *)(cq + p.cq_off.head);
    unsigned at = *tail & (p.sq_entries - 1);
    sqes[at] = sqe;
    ((unsigned *)(sq + p.sq_off.array))[at] = at;
    __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
    syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
    int res = ((struct io_uring_cqe *)(cq + p.cq_off.cqes))[*head & (p.cq_entries - 1)].res;
    __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
    return res;
}

int main(void) {
    char buffer[16];
    ring = syscall(SYS_io_uring_setup, 4, &p);
    if (ring < 0)
        return 1;
    sq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
    cq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
    sqes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
    unsigned long path = (unsigned long)"/etc/passwd";
    int fd = ask((struct io_uring_sqe){ .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = path, .flags = IOSQE_ASYNC });
    int n = ask((struct io_uring_sqe){ .opcode = IORING_OP_READ, .fd = fd, .addr = (unsigned long)buffer, .len = 10 });
    int closed = ask((struct io_uring_sqe){ .opcode = IORING_OP_CLOSE, .fd = fd });
    return fd < 0 || n != 10 || closed != 0 || read(fd, buffer, 1) >= 0;
}
