from test_in_browser import Browser, BrowserContext, Page, Furnished, signed_in, browser, address, context
import os
OUT="/tmp/shots_se"
def test_shots(address: str, context: BrowserContext) -> None:
    os.makedirs(OUT, exist_ok=True)
    page, mistakes = signed_in(context, address, "ada")
    page.set_viewport_size({"width":1280,"height":900})
    for key in os.environ.get("KEYS","appointment").split():
        page.goto(f"{address}/strategies/new?template={key}")
        page.wait_for_load_state("networkidle")
        h=page.evaluate("document.documentElement.scrollHeight"); print(h)
        page.screenshot(path=f"{OUT}/top.png")
        page.fill("[name='actions[0].retry.busy.count']","many"); page.fill("[name='actions[0].menu.choices[0].digit']","A"); page.keyboard.press("Tab")
        page.locator(".mark").first.wait_for()
        page.screenshot(path=f"{OUT}/wrong.png")
        page.add_style_tag(content=".savebar,.outline{position:static!important}") if False else None
        for i in range(0,min(h,5200),1300):
            page.screenshot(path=f"{OUT}/{key}{i//1300}.png", full_page=True, clip={"x":224,"y":i,"width":1056,"height":min(1300,h-i)})
    page.set_viewport_size({"width":390,"height":844})
    page.goto(f"{address}/strategies/new?template=appointment")
    h=page.evaluate("document.documentElement.scrollHeight"); print(h)
    for i in range(0,4):
        page.screenshot(path=f"{OUT}/p{i}.png", full_page=True, clip={"x":0,"y":i*1300,"width":390,"height":1300})
    print(page.evaluate("document.documentElement.scrollWidth"))
    print(mistakes)
