/** What ranks send each other: messages, decisions of all, blocks of numbers. */
package io.github.kfac4j.distributed.exchange;
