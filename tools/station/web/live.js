// SPDX-License-Identifier: Apache-2.0
// Brings the figures of a page up to date in place: the page is fetched again,
// and what is marked with data-live takes the place of what has its id. Forms,
// and whatever has the focus, are left alone.
"use strict";

(() => {
    const PERIOD_MS = 5000;
    const status = document.getElementById("live");

    function replace(fresh) {
        for (const part of document.querySelectorAll("[data-live]")) {
            const other = fresh.getElementById(part.id);
            if (!other || part.contains(document.activeElement) ||
                part.innerHTML === other.innerHTML)
                continue;
            const open = new Set([...part.querySelectorAll("details[open]")]
                .map((details) => details.id));
            part.replaceChildren(...other.childNodes);
            for (const details of part.querySelectorAll("details"))
                details.open = open.has(details.id);
        }
    }

    // A screen reader is told when this changes, so not at each turn.
    function say(text) {
        if (status && status.textContent !== text)
            status.textContent = text;
    }

    async function renew() {
        if (document.hidden)
            return;
        try {
            const answer = await fetch(location.href, {
                cache: "no-store", redirect: "error",
            });
            if (!answer.ok)
                throw new Error(`status ${answer.status}`);
            const text = await answer.text();
            replace(new DOMParser().parseFromString(text, "text/html"));
            say("");
        } catch {
            say("The station does not answer: what stands here is old.");
        }
    }

    async function turn() {
        await renew();
        setTimeout(turn, PERIOD_MS);
    }

    if (document.querySelector("[data-live]:not(#as-of)")) {
        setTimeout(turn, PERIOD_MS);
        document.addEventListener("visibilitychange", renew);
    }
})();
