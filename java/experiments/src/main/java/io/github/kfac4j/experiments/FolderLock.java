package io.github.kfac4j.experiments;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;

import io.github.kfac4j.files.AtomicFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;

/**
 * Locks a folder against a second run until it is closed or the process ends, in whatever way.
 * Holds the file {@code .lock}, which stays there.
 */
public final class FolderLock implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(FolderLock.class.getName());

  private final FileChannel channel;

  private FolderLock(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Takes the lock, and clears away what a run that was killed an hour ago or earlier left
   * half-written. Where the file system has no locks, a line in the log says so.
   *
   * @param folder that exists
   * @throws BadInputException if another run holds it
   * @throws IOException if the folder cannot be written
   */
  public static FolderLock take(Path folder) throws IOException {
    FileChannel channel = FileChannel.open(folder.resolve(".lock"), CREATE, WRITE, NOFOLLOW_LINKS);
    boolean taken = false;
    try {
      taken = isFree(channel, folder);
      if (!taken) {
        throw new BadInputException(
            "%s is in use by another run: wait until it ends, or choose another folder"
                .formatted(folder));
      }
      AtomicFile.removeRemains(folder);
      return new FolderLock(channel);
    } finally {
      if (!taken) {
        channel.close();
      }
    }
  }

  private static boolean isFree(FileChannel channel, Path folder) {
    try {
      FileLock lock = channel.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException e) { // a run of this process
      return false;
    } catch (IOException e) {
      LOG.log(
          System.Logger.Level.WARNING,
          "{0}: the file system has no locks ({1}); a second run would not be kept out",
          folder,
          e.getMessage());
      return true;
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
