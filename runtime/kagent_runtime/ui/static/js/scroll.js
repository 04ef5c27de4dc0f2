// Keeps the newest text in view, unless the reader has scrolled up to read something else.

const NEAR_PX = 80;

export function follow(scroller, content, jump) {
  let isFollowing = true;
  let lastTop = 0;
  const toEnd = () => {
    isFollowing = true;
    scroller.scrollTop = scroller.scrollHeight;
  };
  const update = () => {
    const isNear = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX;
    // Content may have grown since the scroll that is reported: only a move upwards is the reader's own.
    if (isNear) isFollowing = true;
    else if (scroller.scrollTop < lastTop) isFollowing = false;
    lastTop = scroller.scrollTop;
    jump.hidden = isFollowing;
  };
  scroller.addEventListener("scroll", update, { passive: true });
  jump.addEventListener("click", toEnd);
  // Opening a tool card also changes the height: the reader did that to read it, so stay.
  let isReading = false;
  content.addEventListener("click", (event) => { isReading = event.target.closest("summary") !== null; });
  new ResizeObserver(() => {
    if (isReading) isFollowing = false;
    else if (isFollowing) scroller.scrollTop = scroller.scrollHeight;
    isReading = false;
    update();
  }).observe(content);
  return { toEnd };
}
