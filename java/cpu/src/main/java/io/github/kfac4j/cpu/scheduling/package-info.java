/** Work as plans of phases and tasks, and the threads that run them. */
package io.github.kfac4j.cpu.scheduling;
