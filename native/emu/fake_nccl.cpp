// Stand-in for libnccl.so.2 on host memory: ranks are threads or processes of one machine. What a rank sends to another
// is a file in a folder that the unique id names, numbered within the pair; collectives are made of such messages, sums
// in the order of the ranks. Nothing waits but a receiver, so groups need no order. Work is done when it is called, or
// at the end of its group, in which case every send comes before every receive.
//
// KFAC_FAKE_FAIL="FUNCTION CODE FIRST LAST": calls number FIRST to LAST of this function in this process return this
// ncclResult_t; ncclCommGetAsyncError reports it instead.
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace {

enum { SUCCESS = 0, SYSTEM_ERROR = 2, INVALID_ARGUMENT = 4, INVALID_USAGE = 5, REMOTE_ERROR = 6 };
enum { INT8 = 0, UINT8 = 1, FLOAT16 = 6, FLOAT32 = 7 };
enum { SUM = 0 };
namespace fs = std::filesystem;

int injected(const char* function) {
  static const char* const wish = std::getenv("KFAC_FAKE_FAIL");
  static std::atomic<int> calls{0};
  char name[64] = "";
  int code = 0, first = 0, last = 0;
  if (!wish || std::sscanf(wish, "%63s %d %d %d", name, &code, &first, &last) != 4 || std::strcmp(name, function))
    return SUCCESS;
  const int call = ++calls;
  return call < first || call > last ? SUCCESS : code;
}
#define FAIL_IF_WISHED \
  if (const int wished = injected(__func__)) return wished

struct UniqueId {
  char internal[128];
};

struct Comm {
  fs::path folder;
  int size, rank;
  std::atomic<int> error{SUCCESS};
  std::vector<long> sent, received;  // messages to and from each rank

  fs::path message(int from, int to, long number) const {
    return folder / (std::to_string(from) + "-" + std::to_string(to) + "-" + std::to_string(number));
  }
  void send(int to, const void* data, size_t bytes) {
    const fs::path name = message(rank, to, sent[to]++);
    const fs::path part = name.string() + ".part";
    std::ofstream(part, std::ios::binary).write(static_cast<const char*>(data), std::streamsize(bytes));
    fs::rename(part, name);  // whole or not there
  }
  // False if a rank has given up or sends another number of bytes; the communicator is of no use then.
  bool receive(int from, void* data, size_t bytes) {
    const fs::path name = message(from, rank, received[from]++);
    while (!fs::exists(name)) {
      if (error || fs::exists(folder / "aborted")) return error = REMOTE_ERROR, false;
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
    if (fs::file_size(name) != bytes) return error = INVALID_USAGE, false;
    std::ifstream(name, std::ios::binary).read(static_cast<char*>(data), std::streamsize(bytes));
    fs::remove(name);
    return true;
  }
};

// Folders of this process's communicators that were not left in order.
struct Leftovers {
  std::vector<fs::path> folders;
  ~Leftovers() {
    std::error_code gone;
    for (const auto& folder : folders) fs::remove_all(folder, gone);
  }
} leftovers;

size_t size_of(int type) { return type == FLOAT32 ? 4 : type == FLOAT16 ? 2 : 1; }
bool known(int type) { return type == INT8 || type == UINT8 || type == FLOAT16 || type == FLOAT32; }

// What a group does: the sends of all its operations, then the rest.
thread_local int depth = 0;
thread_local std::vector<std::function<void()>> first, then;

int run() {
  for (auto& work : first) work();
  for (auto& work : then) work();
  first.clear();
  then.clear();
  return SUCCESS;
}
int enqueue(std::function<void()> sends, std::function<void()> rest) {
  first.push_back(std::move(sends));
  then.push_back(std::move(rest));
  return depth ? SUCCESS : run();
}

// The last one to leave removes the folder.
int leave(Comm* comm) {
  std::error_code gone;
  std::ofstream(comm->folder / ("left-" + std::to_string(comm->rank)));
  int left = 0;
  for (int rank = 0; rank < comm->size; ++rank)
    left += fs::exists(comm->folder / ("left-" + std::to_string(rank)), gone);
  if (left == comm->size) fs::remove_all(comm->folder, gone);
  delete comm;
  return SUCCESS;
}

void add(float* sum, const float* more, size_t count) {
  for (size_t i = 0; i < count; ++i) sum[i] += more[i];
}

int reduce(const void* send, void* receive, size_t count, int type, int op, int root, Comm* comm) {
  if (type != FLOAT32 || op != SUM || root < 0 || root >= comm->size) return INVALID_ARGUMENT;
  return enqueue([=] { comm->send(root, send, count * 4); },
                 [=] {
                   if (comm->rank != root) return;
                   std::vector<float> sum(count), one(count);
                   for (int from = 0; from < comm->size; ++from) {
                     if (!comm->receive(from, one.data(), count * 4)) return;
                     add(sum.data(), one.data(), count);
                   }
                   std::memcpy(receive, sum.data(), count * 4);
                 });
}
int broadcast(const void* send, void* receive, size_t count, int type, int root, Comm* comm) {
  if (!known(type) || root < 0 || root >= comm->size) return INVALID_ARGUMENT;
  const size_t bytes = count * size_of(type);
  return enqueue(
      [=] {
        for (int to = 0; comm->rank == root && to < comm->size; ++to) comm->send(to, send, bytes);
      },
      [=] { comm->receive(root, receive, bytes); });
}

}  // namespace

extern "C" {

int ncclGetVersion(int* version) { return *version = 22800, SUCCESS; }
const char* ncclGetErrorString(int code) {
  static const char* const words[] = {"no error",
                                      "unhandled cuda error",
                                      "unhandled system error",
                                      "internal error",
                                      "invalid argument",
                                      "invalid usage",
                                      "remote process exited or network error"};
  return code >= 0 && code < 7 ? words[code] : "unknown result code";
}
const char* ncclGetLastError(Comm*) { return "(the stand-in for NCCL)"; }

int ncclGetUniqueId(UniqueId* id) {
  FAIL_IF_WISHED;
  std::memset(id, 0, sizeof *id);
  std::strcpy(id->internal, "/dev/shm/kfac-fake-nccl-XXXXXX");
  if (!mkdtemp(id->internal)) return SYSTEM_ERROR;
  leftovers.folders.push_back(id->internal);
  return SUCCESS;
}
int ncclCommInitRank(Comm** comm, int size, UniqueId id, int rank) {
  FAIL_IF_WISHED;
  if (size < 1 || rank < 0 || rank >= size || !fs::exists(id.internal)) return INVALID_ARGUMENT;
  *comm = new Comm{id.internal, size, rank, {}, std::vector<long>(size), std::vector<long>(size)};
  for (int to = 0; to < size; ++to) (*comm)->send(to, "", 0);
  for (int from = 0; from < size; ++from)
    if (!(*comm)->receive(from, nullptr, 0)) return REMOTE_ERROR;
  return SUCCESS;
}
int ncclCommGetAsyncError(Comm* comm, int* error) {
  const int wished = injected(__func__);
  *error = wished ? wished : comm->error.load();
  return SUCCESS;
}
int ncclCommAbort(Comm* comm) {
  std::ofstream(comm->folder / "aborted");
  return leave(comm);
}
int ncclCommDestroy(Comm* comm) {
  FAIL_IF_WISHED;
  return leave(comm);
}

int ncclGroupStart() { return ++depth, SUCCESS; }
int ncclGroupEnd() {
  FAIL_IF_WISHED;
  if (depth == 0) return INVALID_USAGE;
  return --depth ? SUCCESS : run();
}

int ncclSend(const void* data, size_t count, int type, int to, Comm* comm, void*) {
  FAIL_IF_WISHED;
  if (!known(type) || to < 0 || to >= comm->size) return INVALID_ARGUMENT;
  return enqueue([=] { comm->send(to, data, count * size_of(type)); }, [] {});
}
int ncclRecv(void* data, size_t count, int type, int from, Comm* comm, void*) {
  FAIL_IF_WISHED;
  if (!known(type) || from < 0 || from >= comm->size) return INVALID_ARGUMENT;
  return enqueue([] {}, [=] { comm->receive(from, data, count * size_of(type)); });
}
int ncclReduce(const void* send, void* receive, size_t count, int type, int op, int root, Comm* comm, void*) {
  FAIL_IF_WISHED;
  return reduce(send, receive, count, type, op, root, comm);
}
int ncclBroadcast(const void* send, void* receive, size_t count, int type, int root, Comm* comm, void*) {
  FAIL_IF_WISHED;
  return broadcast(send, receive, count, type, root, comm);
}
int ncclAllReduce(const void* send, void* receive, size_t count, int type, int op, Comm* comm, void*) {
  FAIL_IF_WISHED;
  if (depth) return INVALID_USAGE;  // two rounds of messages, which a group does not have here
  const int code = reduce(send, receive, count, type, op, 0, comm);
  return code ? code : broadcast(receive, receive, count, type, 0, comm);
}

}  // extern "C"
