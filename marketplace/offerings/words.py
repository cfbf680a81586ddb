"""What each kind of service is, in one or two plain sentences, and its drawing: the first words and picture of a
listing, which the bureau may change. Words are data in Chinese, as names of services are."""

WORDS = {
    "canteen": "现做的热饭热菜，少油少盐，软烂好嚼。到店就坐，报姓名或出示券码即可。",
    "delivery": "把长者餐厅的饭菜送到家门口，趁热送达。餐费另在餐厅点单。",
    "home_care": "经过培训的护理员上门服务，出示工作证，做完请您或家人确认。",
    "rehabilitation": "持证康复师一对一指导，按您的身体情况慢慢来。",
    "day_care": "白天有人照看，有饭吃、有伴聊、能午睡，傍晚回家。",
    "adaptation": "师傅上门量尺安装，装好当面试用，满意后再确认。",
    "recreation": "唱歌、书画、手工，和街坊一起热闹热闹，不用会，来了就行。",
}
DRAWN = {
    "canteen": "lunch",
    "delivery": "meal_box",
    "home_care": "cleaning",
    "rehabilitation": "exercise",
    "day_care": "day_care",
    "adaptation": "grab_rail",
    "recreation": "singing",
}
